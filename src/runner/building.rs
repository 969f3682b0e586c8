//! One attempt of a `build` step.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, atomic::Ordering},
};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    attempt::unlogged,
    carrier::WORKSPACE_PATH,
    contexts,
    dispatch::{Env, Input},
    explain,
    logging::{self, LogSink},
    setup::DEFAULT_NETWORK,
};
use crate::{
    engine::{Event, Outcome},
    ports::{BuildError, BuildRequest, Built, EngineError},
    spec::{Build, Step, StepKind},
};

/// Builds and reports `Ended` with the image, or `Stopped`.
pub(super) async fn run(env: Arc<Env>, step: u32, attempt: u32, stop: CancellationToken) {
    let it = env.job.plan.step(step);
    let StepKind::Build(build) = &it.kind else {
        return;
    };
    let (sink, log) = match logging::open(&env, step, attempt).await {
        Ok(log) => logging::sink(&env, step, log),
        Err(error) => return env.inbox.send(unlogged(step, attempt, &error)),
    };
    let source = OnceLock::new();
    let done = tokio::select! {
        done = make(&env, (it, build), &sink, &source) => Some(done),
        () = stop.cancelled() => None,
    };
    drop(sink);
    let heard = log.await.ok().and_then(Result::ok);
    env.inbox.send(match done {
        None => Input::event(Event::Stopped { step, attempt }),
        Some(Ok(built)) => {
            let outcome = Outcome::Exited {
                code: 0,
                cause: None,
                matched: true,
            };
            let event = Event::Ended {
                step,
                attempt,
                outcome,
            };
            let image = json!({ "image": build.tags, "id": built.image_id });
            Input::Event(event, Some(with_source(image, source.get())))
        }
        Some(Err(error)) => {
            let mut outcome = explain::not_built(&env.job, step, &error);
            if let (Outcome::Exited { matched, .. }, Some(heard)) = (&mut outcome, heard) {
                *matched |= heard.matched;
            }
            let event = Event::Ended {
                step,
                attempt,
                outcome,
            };
            let image = json!({ "image": build.tags });
            let images = source.get().map(|it| with_source(image, Some(it)));
            Input::Event(event, images)
        }
    });
}

/// Adds to what is recorded of an image where its context came from, so that a rerun takes the same.
fn with_source(mut image: Value, source: Option<&Value>) -> Value {
    if let Some(source) = source {
        image["context"] = source.clone();
    }
    json!([image])
}

async fn make(
    env: &Arc<Env>,
    (step, build): (&Step, &Build),
    sink: &LogSink,
    source: &OnceLock<Value>,
) -> Result<Built, BuildError> {
    let mine = |message: String| BuildError::Failed {
        message,
        exit_code: None,
    };
    let opened = contexts::opened(env, build, sink).await?;
    let (root, context, dockerfile);
    match &opened {
        Some(opened) => {
            let _ = source.set(contexts::recorded(build, &opened.pin));
            (context, dockerfile) = contexts::files_of(opened, build)?;
        }
        None => {
            let files = contexts::workspace_files(step, build).map_err(mine)?;
            root = self::root(env, sink).await?;
            context = root.path().join(files.context);
            dockerfile = root.path().join(files.dockerfile);
        }
    }
    let selected = env.ports.folders.build_context(&context, &dockerfile);
    let selected = selected.map_err(|error| mine(error.to_string()))?;
    let mut request = BuildRequest::new(selected.tar, &selected.dockerfile);
    fill(&mut request, env, step, build);
    env.ports.images.build(&request, sink).await
}

/// Copies what the step says into the request.
fn fill(request: &mut BuildRequest, env: &Env, step: &Step, build: &Build) {
    let own_value = |name: &str| {
        step.env
            .iter()
            .find(|var| var.name == name)
            .map(|var| var.value.clone())
    };
    request.build_args = build
        .build_args
        .iter()
        .filter_map(|(name, value)| {
            let value = value.clone().or_else(|| own_value(name))?;
            Some((name.clone(), value))
        })
        .collect();
    request.tags.clone_from(&build.tags);
    request.target.clone_from(&build.target);
    request.labels = build.labels.iter().cloned().collect();
    request.platform = build.platforms.first().cloned();
    request.no_cache = build.no_cache;
    request.pull = build.pull;
    request.cache_from.clone_from(&build.cache_from);
    request.extra_hosts.clone_from(&build.extra_hosts);
    request.shm_size_bytes = build.shm_size_bytes;
    request.memory_bytes = build.memory_bytes;
    request.squash = build.squash;
    request.logins.clone_from(&env.job.logins);
    request.classic = own_value("DOCKER_BUILDKIT").as_deref() == Some("0");
    request.network = match build.network.as_deref() {
        // Nothing else of the run is there to be met.
        Some(DEFAULT_NETWORK) if !env.shared.networks.contains_key(DEFAULT_NETWORK) => None,
        Some(name) => Some(
            env.shared
                .networks
                .get(name)
                .cloned()
                .unwrap_or(name.to_owned()),
        ),
        None => None,
    };
    // BuildKit knows no networks by name.
    let is_named = |name: &str| !matches!(name, "default" | "none" | "host" | "bridge");
    request.classic |= request.network.as_deref().is_some_and(is_named);
}

/// Where the workspace's files are on this machine.
enum Root {
    Context(PathBuf),
    Copy(tempfile::TempDir),
}

impl Root {
    fn path(&self) -> &Path {
        match self {
            Root::Context(path) => path,
            Root::Copy(folder) => folder.path(),
        }
    }
}

/// The context itself while no container has run; after that a copy of the workspace, for steps may have written.
async fn root(env: &Arc<Env>, sink: &LogSink) -> Result<Root, BuildError> {
    let has_workspace = !env.shared.volumes.is_empty();
    if let Some(context) = &env.job.context
        && (!has_workspace || env.is_pristine.load(Ordering::Acquire))
    {
        return Ok(Root::Context(context.clone()));
    }
    let folder = tempfile::tempdir()
        .map_err(|error| EngineError::Other(format!("no temporary folder: {error}")))?;
    if has_workspace {
        sink.say("Reading the build context from the workspace");
        let tar = env
            .carrier
            .download(
                &env.ports,
                &env.job,
                &env.shared,
                &format!("{WORKSPACE_PATH}/."),
            )
            .await?;
        env.ports
            .folders
            .unpack(tar, folder.path())
            .await
            .map_err(|error| EngineError::Other(error.to_string()))?;
    }
    Ok(Root::Copy(folder))
}

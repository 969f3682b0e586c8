//! One attempt of a `build` step.

use std::{
    path::{Component, Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    attempt::{ended, unlogged},
    bases,
    carrier::WORKSPACE_PATH,
    dispatch::{Env, Input},
    explain,
    logging::{self, LogSink},
    setup::DEFAULT_NETWORK,
};
use crate::{
    engine::{Event, Outcome},
    ports::{BuildError, BuildRequest, EngineError},
    spec::{Build, Cache, Step, StepKind},
};

/// Builds and reports `Ended` with the image, or `Stopped`.
pub(super) async fn run(env: Arc<Env>, step: u32, attempt: u32, stop: CancellationToken) {
    let StepKind::Build(build) = &env.job.plan.step(step).kind else {
        return;
    };
    let (sink, log) = match logging::open(&env, step, attempt).await {
        Ok(log) => logging::sink(&env, step, log),
        Err(error) => return env.inbox.send(unlogged(step, attempt, &error)),
    };
    let done = tokio::select! {
        done = make(&env, (step, attempt), build, &sink) => Some(done),
        () = stop.cancelled() => None,
    };
    drop(sink);
    let heard = log.await.ok().and_then(Result::ok);
    env.inbox.send(match done {
        None => Input::event(Event::Stopped { step, attempt }),
        Some(Ok(images)) => {
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
            Input::Event(event, Some(images))
        }
        Some(Err(error)) => {
            let mut outcome = explain::not_built(&env.job, step, &error);
            if let (Outcome::Exited { matched, .. }, Some(heard)) = (&mut outcome, heard) {
                *matched |= heard.matched;
            }
            ended(step, attempt, outcome)
        }
    });
}

async fn make(
    env: &Arc<Env>,
    ids: (u32, u32),
    build: &Build,
    sink: &LogSink,
) -> Result<Value, BuildError> {
    let step = env.job.plan.step(ids.0);
    let mine = |message: String| BuildError::Failed {
        message,
        exit_code: None,
    };
    let base = step.working_directory.as_deref().unwrap_or(WORKSPACE_PATH);
    let context = inside(base, &build.context).map_err(mine)?;
    let dockerfile = match &build.dockerfile {
        Some(file) => inside(base, file).map_err(mine)?,
        None => context.join("Dockerfile"),
    };
    let root = root(env, sink).await?;
    let selected = env
        .ports
        .folders
        .build_context(&root.path().join(&context), &root.path().join(&dockerfile))
        .map_err(|error| mine(error.to_string()))?;
    let mut request = BuildRequest::new(selected.tar, &selected.dockerfile);
    request.files = selected.files;
    fill(&mut request, env, step, build);
    if request.network.is_some() {
        env.networks.passed().await?;
    }
    let text = tokio::fs::read_to_string(root.path().join(&dockerfile)).await;
    let text = text.unwrap_or_default();
    let based = bases::settle(env, ids, &request, &text).await;
    let built = env.ports.images.build(&request, sink).await?;
    let id = Some(built.image_id.as_str());
    Ok(bases::made(env, &request, id, based.as_deref()))
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
    request.platform = Some(build.platforms.join(",")).filter(|list| !list.is_empty());
    request.no_cache = build.no_cache;
    request.pull = build.pull;
    request.cache_from.clone_from(&build.cache_from);
    request.cache_to.clone_from(&build.cache_to);
    request.kept_cache = kept_cache(step, build);
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

/// Names the cache of a step with `cache: enabled`, beside its first image that names a registry.
fn kept_cache(step: &Step, build: &Build) -> Option<String> {
    let has_registry = |tag: &&String| {
        let first = tag.split_once('/').map(|(first, _)| first);
        first.is_some_and(|first| first.contains(['.', ':']))
    };
    let image = build.tags.iter().find(has_registry);
    let image = image.filter(|_| build.cache == Cache::Enabled)?;
    let repository = match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    };
    Some(format!("{repository}:cache_quickrun_{}", step.id))
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
    env.files.passed().await?;
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

/// Finds a path of the workspace, relative to its root; nothing outside can be named.
fn inside(base: &str, path: &str) -> Result<PathBuf, String> {
    if path == "-" || path.contains("://") || path.starts_with("git@") {
        return Err(format!(
            "the build context {path} is not a folder of the workspace; contexts from elsewhere are not supported here yet"
        ));
    }
    let mut inner = PathBuf::new();
    let whole = Path::new(base).join(path);
    for part in whole.components() {
        match part {
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            Component::Normal(name) => inner.push(name),
            Component::ParentDir if inner.pop() => {}
            Component::ParentDir => return Err(outside(path)),
        }
    }
    inner
        .strip_prefix("workspace")
        .map(Path::to_path_buf)
        .map_err(|_| outside(path))
}

fn outside(path: &str) -> String {
    format!("{path} is outside of {WORKSPACE_PATH}")
}

#[cfg(test)]
mod tests {
    use super::inside;
    use std::path::Path;

    #[test]
    fn a_path_never_leaves_the_workspace() {
        let ok = |base, path, want: &str| assert_eq!(inside(base, path).unwrap(), Path::new(want));
        ok("/workspace", ".", "");
        ok("/workspace/sub", "..", "");
        ok("/workspace/sub", "a/../b", "sub/b");
        ok("/", "/workspace/x", "x");
        for (base, path) in [
            ("/workspace", "../etc"),
            ("/workspace", "/etc"),
            ("/", "../../.."),
            ("/workspace", "-"),
            ("/workspace", "https://example.com/a.git"),
        ] {
            assert!(inside(base, path).is_err(), "{base} {path}");
        }
    }
}

//! One attempt of a `build` step.

use std::{path::PathBuf, sync::Arc};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    attempt::unlogged,
    bases,
    build_files::{BuildFiles, failed},
    build_logins, build_secrets, build_tries, contexts,
    dispatch::{Env, Input},
    logging::{self, LogSink},
    packing, registry_faults,
    setup::DEFAULT_NETWORK,
};
use crate::{
    engine::{Event, Outcome},
    ports::{BuildError, BuildPart, BuildRequest},
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
    let parts = sink.parts();
    drop(sink);
    let heard = log.await.ok().and_then(Result::ok);
    env.inbox.send(match done {
        None => Input::event(Event::Stopped { step, attempt }),
        Some(Ok(images)) => {
            packing::begin(&env, step, &build.tags);
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
            Input::Event(event, Some(with_parts(images, &parts)))
        }
        Some(Err(NotMade { error, images })) => {
            let mut outcome = registry_faults::not_built(&env, step, &error).await;
            if let (Outcome::Exited { matched, .. }, Some(heard)) = (&mut outcome, heard) {
                *matched |= heard.matched;
            }
            let event = Event::Ended {
                step,
                attempt,
                outcome,
            };
            Input::Event(event, images.map(|images| with_parts(images, &parts)))
        }
    });
}

/// Why nothing was made, and what of the record of images stands all the same.
struct NotMade {
    error: BuildError,
    images: Option<Value>,
}

impl<E: Into<BuildError>> From<E> for NotMade {
    fn from(error: E) -> NotMade {
        NotMade {
            error: error.into(),
            images: None,
        }
    }
}

/// Adds to the record of an image how its build went, part by part.
fn with_parts(mut images: Value, parts: &[BuildPart]) -> Value {
    if let Some(image) = images.get_mut(0).filter(|_| !parts.is_empty()) {
        image["parts"] = json!(parts);
    }
    images
}

async fn make(
    env: &Arc<Env>,
    ids: (u32, u32),
    build: &Build,
    sink: &LogSink,
) -> Result<Value, NotMade> {
    let step = env.job.plan.step(ids.0);
    let opened = contexts::opened(env, build, sink).await?;
    let mut files = BuildFiles::open(env, step, sink).await?;
    let (context, dockerfile) = match &opened {
        Some(opened) => contexts::files_of(opened, build)?,
        None => local_files(&mut files, build)?,
    };
    let select = |text: Option<&str>| {
        let selected = env.ports.folders.build_context(&context, &dockerfile, text);
        selected.map_err(|error| failed(error.to_string()))
    };
    let selected = select(None)?;
    let mut request = BuildRequest::new(selected.tar, &selected.dockerfile);
    request.files = selected.files;
    fill(&mut request, env, step, build);
    if request.network.is_some() {
        env.networks.passed().await?;
    }
    request.secrets = build_secrets::secrets(&mut files, step, &build.secrets)?;
    build_secrets::mark_arguments(&mut request, &env.job);
    let text = tokio::fs::read_to_string(&dockerfile).await;
    let text = text.unwrap_or_default();
    let based = bases::settle(env, ids, &request, &text).await;
    if let Some(pinned) = based.as_ref().and_then(|based| based.text.as_deref()) {
        let selected = select(Some(pinned))?;
        request.context = selected.tar;
        request.files = selected.files;
        request.dockerfile = selected.dockerfile;
    }
    let bases = based.as_ref().map(|based| based.bases.as_slice());
    build_logins::settle(env, &mut request, bases.unwrap_or_default(), sink).await?;
    let made = |id| {
        let images = bases::made(env, &request, id, bases);
        contexts::with_source(images, build, opened.as_ref())
    };
    match build_tries::build(env, &request, sink).await {
        Ok(built) => Ok(made(Some(built.image_id.as_str()))),
        Err(error) => Err(NotMade {
            error,
            images: Some(made(None)),
        }),
    }
}

/// Finds context and Dockerfile among the files of the run.
fn local_files(
    files: &mut BuildFiles<'_>,
    build: &Build,
) -> Result<(PathBuf, PathBuf), BuildError> {
    let context = files.path(&build.context)?;
    let dockerfile = match &build.dockerfile {
        Some(file) => files.path(file)?,
        None => context.join("Dockerfile"),
    };
    Ok((context, dockerfile))
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
    request.kept_cache = kept_cache(step, build, env.job.shares_cache);
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

/// Names the cache of a step with `cache: enabled`, or of any where caches are shared and it says nothing else, beside its
/// first image that names a registry.
fn kept_cache(step: &Step, build: &Build, shares: bool) -> Option<String> {
    let is_kept = match build.cache {
        Cache::Enabled => true,
        Cache::Disabled => false,
        Cache::Unsaid => shares && !build.no_cache,
    };
    let has_registry = |tag: &&String| {
        let first = tag.split_once('/').map(|(first, _)| first);
        first.is_some_and(|first| first.contains(['.', ':']))
    };
    let image = build.tags.iter().find(has_registry);
    let image = image.filter(|_| is_kept)?;
    let repository = match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    };
    Some(format!("{repository}:cache_quickrun_{}", step.id))
}

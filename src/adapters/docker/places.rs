//! On which engine a build is made, and how its image comes back from another.

use bollard::query_parameters::{ImportImageOptions, RemoveImageOptions};
use futures_util::TryStreamExt;

use crate::ports::{BuildError, BuildRequest, Built, EngineError, Images};

use super::{DockerEngine, caches::Caches};

/// What there must be for what this engine's own BuildKit cannot do.
const HELP: &str = "use an engine with the containerd image store (\"features\": {\"containerd-snapshotter\": true} in \
                    its daemon.json, Docker 24 or newer), or name one in CAREEN_BUILDER";

/// An engine to build on, and the caches to use there.
pub(super) struct Place<'a> {
    /// The engine.
    pub(super) engine: &'a DockerEngine,
    /// What is taken and left.
    pub(super) caches: Caches,
    /// What has to be said of the choice.
    pub(super) notes: Vec<String>,
}

/// Chooses between the engine itself and its builder, by what is asked for.
pub(super) async fn choose<'a>(
    engine: &'a DockerEngine,
    request: &BuildRequest,
) -> Result<Place<'a>, BuildError> {
    let mut caches = Caches::read(request).map_err(failed)?;
    let notes = caches.settle();
    let mut place = Place {
        engine,
        caches,
        notes,
    };
    let Some(needs) = needs(request, &place.caches) else {
        return Ok(place);
    };
    if let Some(kept) = &request.kept_cache {
        let images = request.tags.iter().chain([kept]);
        images.for_each(|it| place.caches.take_from(it));
    }
    // A step that keeps its cache asks for any that is to be had.
    let is_wish = !place.caches.needs_exporter()
        && !place.caches.are_in_folders()
        && !is_for_several(request);
    let reason = match able(engine, request).await {
        Ok(Some(able)) => {
            place.engine = able;
            place.notes.extend(elsewhere(engine, able, needs));
            let kept = request.kept_cache.as_deref();
            kept.into_iter().for_each(|it| place.caches.keep_at(it));
            return Ok(place);
        }
        Ok(None) => format!("this engine's BuildKit cannot {needs}"),
        Err(error) if is_wish => error.to_string(),
        Err(error) => return Err(error.into()),
    };
    if !is_wish {
        return Err(failed(format!("{reason}: {HELP}")));
    }
    place.caches.keep_inline();
    place.notes.push(format!(
        "{reason}, so the cache is kept in the image: once pushed, others use it. For a cache of its own, {HELP}"
    ));
    Ok(place)
}

/// What is asked for that not every engine can do.
fn needs(request: &BuildRequest, caches: &Caches) -> Option<&'static str> {
    if request.classic {
        None
    } else if is_for_several(request) {
        Some("make one image for several platforms")
    } else if caches.are_in_folders() {
        Some("keep a cache in a folder")
    } else if caches.needs_exporter() || request.kept_cache.is_some() {
        Some("write a cache to a registry")
    } else {
        None
    }
}

fn is_for_several(request: &BuildRequest) -> bool {
    request
        .platform
        .as_deref()
        .is_some_and(|it| it.contains(','))
}

/// The engine that can: this one before its builder. An image for several platforms cannot come back from another.
async fn able<'a>(
    engine: &'a DockerEngine,
    request: &BuildRequest,
) -> Result<Option<&'a DockerEngine>, EngineError> {
    if has_containerd_store(engine).await? {
        return Ok(Some(engine));
    }
    match engine.other_builder() {
        Some(builder) if !is_for_several(request) && has_containerd_store(builder).await? => {
            Ok(Some(builder))
        }
        _ => Ok(None),
    }
}

async fn has_containerd_store(engine: &DockerEngine) -> Result<bool, EngineError> {
    let info = engine.docker().await?.info().await;
    let info = info.map_err(|error| engine.error(error))?;
    let mut facts = info.driver_status.into_iter().flatten().flatten();
    Ok(facts.any(|fact| fact.starts_with("io.containerd.snapshotter")))
}

fn elsewhere(engine: &DockerEngine, able: &DockerEngine, needs: &str) -> Option<String> {
    let is_other = !std::ptr::eq(engine, able);
    is_other.then(|| format!("building at {}, which can {needs}", able.name()))
}

fn failed(message: String) -> BuildError {
    BuildError::Failed {
        message,
        exit_code: None,
    }
}

/// Copies an image from the engine it was built on to the one that wants it, under the names of the request.
pub(super) async fn fetch(
    (from, to): (&DockerEngine, &DockerEngine),
    request: &BuildRequest,
    built: &Built,
) -> Result<Built, EngineError> {
    let names: Vec<&str> = match request.tags.as_slice() {
        [] => vec![&built.image_id],
        tags => tags.iter().map(String::as_str).collect(),
    };
    let archive = from.patient().await?.export_images(&names);
    let options = ImportImageOptions::default();
    let docker = to.patient().await?;
    let loading = docker.import_image_stream(options, archive, None);
    let messages: Vec<_> = loading
        .try_collect()
        .await
        .map_err(|error| to.error(error))?;
    for tag in &request.tags {
        let options = None::<RemoveImageOptions>;
        // It was there for the copy alone; BuildKit's cache keeps the layers.
        let _ = from.docker().await?.remove_image(tag, options, None).await;
    }
    let mut said = messages.into_iter().filter_map(|message| message.stream);
    let loaded =
        said.find_map(|text| Some(text.split_once("Loaded image ID: ")?.1.trim().to_string()));
    let name = request.tags.first().cloned().or(loaded);
    let image = match &name {
        Some(name) => to.image(name).await?,
        None => None,
    };
    let missing = || EngineError::Other(format!("the image did not arrive from {}", from.name()));
    Ok(Built {
        image_id: image.ok_or_else(missing)?.id,
    })
}

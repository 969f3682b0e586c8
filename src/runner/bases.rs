//! What a build stands on: found before it begins, recorded, and kept when it is issued again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    digests::{Digest, Lookup},
    dispatch::{Env, Input},
};
use crate::{
    dockerfile::{Dockerfile, Options},
    engine::Event,
    ports::{BuildRequest, RecordedEvent},
    spec::dependencies::{BaseImage, KnownBase, base_images, record},
};

/// How many images are looked up at once.
const AT_ONCE: usize = 8;

/// How long a registry may hold up a build that would ask it anyway.
const PATIENCE: Duration = Duration::from_secs(5);

/// The bases that are recorded of attempts, by step and attempt.
#[derive(Debug, Default)]
pub(super) struct Recorded(HashMap<(u32, u32), Vec<KnownBase>>);

impl Recorded {
    /// Finds them among the events of a run that was cut off.
    pub fn of(events: &[RecordedEvent]) -> Recorded {
        let of_builds = events.iter().filter(|event| event.kind == "based");
        let read = of_builds.filter_map(|event| serde_json::from_value(event.body.clone()).ok());
        let pairs = read.filter_map(|event| match event {
            Event::Based {
                step,
                attempt,
                bases,
            } => Some(((step, attempt), bases)),
            _ => None,
        });
        Recorded(pairs.collect())
    }
}

/// Finds what a build stands on and records it. Nothing is recorded of a Dockerfile that makes no sense: the builder
/// has the word on that.
pub(super) async fn settle(
    env: &Arc<Env>,
    (step, attempt): (u32, u32),
    request: &BuildRequest,
    text: &str,
) -> Option<Vec<KnownBase>> {
    if let Some(bases) = env.recorded_bases.0.get(&(step, attempt)) {
        return Some(bases.clone());
    }
    let images = images_of(env, request, text).await?;
    let lookup = Lookup {
        ports: &env.ports,
        logins: &env.job.logins,
        patience: PATIENCE,
    };
    let mut bases = Vec::with_capacity(images.len());
    for some in images.chunks(AT_ONCE) {
        let looked = some.iter().map(|image| look(&lookup, request, image));
        let looked = join_all(looked).await;
        bases.extend(
            some.iter()
                .zip(looked)
                .map(|(image, digest)| known(image, digest)),
        );
    }
    let images = made(env, request, None, Some(&bases));
    let event = Event::Based {
        step,
        attempt,
        bases: bases.clone(),
    };
    env.inbox.send(Input::Event(event, Some(images)));
    Some(bases)
}

/// Reads which images a build needs.
async fn images_of(env: &Arc<Env>, request: &BuildRequest, text: &str) -> Option<Vec<BaseImage>> {
    let file = Dockerfile::read(text).0?;
    let mut options = Options {
        build_args: request.build_args.clone(),
        target: request.target.clone(),
        platform: request.platform.clone(),
        ..Options::default()
    };
    // The engine is asked only for files that may want to know.
    if ["PLATFORM", "ARCH", "OS"]
        .iter()
        .any(|word| text.contains(word))
        && let Ok(info) = env.ports.containers.info().await
    {
        options.build_platform = format!("linux/{}", info.architecture);
    }
    let bases = file.bases(&options).0?;
    let (images, found) = base_images(&bases);
    (!found.has_errors()).then_some(images)
}

/// Asks whoever will give the image to the builder: the engine for what it has, else the registry.
async fn look(lookup: &Lookup<'_>, request: &BuildRequest, image: &BaseImage) -> Digest {
    let is_foreign = request.platform.is_some() || image.platform.is_some();
    if request.pull || is_foreign {
        return lookup.in_registry(&image.reference).await;
    }
    lookup.for_engine(&image.reference).await
}

fn known(image: &BaseImage, digest: Digest) -> KnownBase {
    KnownBase {
        unknown: match &digest {
            Digest::Unknown(reason) => Some(reason.clone()),
            _ => None,
        },
        ..image.with_digest(digest.known())
    }
}

/// What the record says of the images that a build made and used.
pub(super) fn made(
    env: &Env,
    request: &BuildRequest,
    id: Option<&str>,
    bases: Option<&[KnownBase]>,
) -> Value {
    let commit = env.job.run.prepared["commit"].as_str();
    let commit = commit.unwrap_or_default();
    let dependencies = bases.map(|bases| record(&request.tags, bases, commit));
    json!([{ "image": request.tags, "id": id, "dependencies": dependencies }])
}

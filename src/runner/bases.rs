//! What a build stands on: found before it begins, recorded, and kept when it is issued again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    digests::{Digest, Lookup},
    dispatch::{Env, Input},
};
use crate::{
    dockerfile::{Dockerfile, Options, Pin, pin},
    engine::Event,
    ports::{BuildRequest, RecordedEvent},
    spec::dependencies::{BaseImage, KnownBase, base_images, record},
    text::Span,
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

/// What a build stands on.
pub(super) struct Based {
    /// The images, in the order of the Dockerfile.
    pub bases: Vec<KnownBase>,
    /// The Dockerfile with digests, where the names alone could mean something else by now.
    pub text: Option<String>,
}

/// Finds what a build stands on and records it. Nothing is recorded of a Dockerfile that makes no sense: the builder
/// has the word on that.
pub(super) async fn settle(
    env: &Arc<Env>,
    (step, attempt): (u32, u32),
    request: &BuildRequest,
    text: &str,
) -> Option<Based> {
    let images = images_of(env, request, text).await?;
    if let Some(bases) = env.recorded_bases.0.get(&(step, attempt)) {
        return Some(Based {
            text: pinned(text, &images, |image| recorded_digest(bases, image)),
            bases: bases.clone(),
        });
    }
    let lookup = Lookup {
        ports: &env.ports,
        keyring: &env.job.keyring,
        patience: PATIENCE,
    };
    let mut digests = Vec::with_capacity(images.len());
    for some in images.chunks(AT_ONCE) {
        let looked = some.iter().map(async |image| {
            match env.job.bases.get(&image.reference.to_string()) {
                // It was decided what to build on, and what the tag holds by now does not matter.
                Some(digest) => Digest::Registry(digest.clone()),
                None => look(&lookup, request, image).await,
            }
        });
        digests.extend(join_all(looked).await);
    }
    let both = || images.iter().zip(&digests);
    let bases: Vec<KnownBase> = both().map(|(image, digest)| known(image, digest)).collect();
    // What the engine has it takes by its name; a registry could give another image a moment later.
    let from_registry = |wanted: &BaseImage| {
        both().find_map(|(image, digest)| match digest {
            Digest::Registry(digest) if std::ptr::eq(image, wanted) => Some(digest.clone()),
            _ => None,
        })
    };
    let text = pinned(text, &images, from_registry);
    let images = made(env, request, None, Some(&bases));
    let event = Event::Based {
        step,
        attempt,
        bases: bases.clone(),
    };
    env.inbox.send(Input::Event(event, Some(images)));
    Some(Based { bases, text })
}

/// Writes digests into a Dockerfile in place of names; `None` when there is none to write.
fn pinned(
    text: &str,
    images: &[BaseImage],
    digest: impl Fn(&BaseImage) -> Option<String>,
) -> Option<String> {
    let pins: Vec<Pin> = images
        .iter()
        .filter(|image| image.reference.digest.is_none())
        .filter_map(|image| Some((image, digest(image)?)))
        .flat_map(|(image, digest)| {
            let text = format!("{}@{digest}", image.reference.name());
            let pin = move |span: &Span| Pin {
                span: *span,
                text: text.clone(),
            };
            image.spans.iter().map(pin)
        })
        .collect();
    (!pins.is_empty()).then(|| pin(text, &pins))
}

fn recorded_digest(bases: &[KnownBase], image: &BaseImage) -> Option<String> {
    let same = bases.iter().find(|base| base.image == image.written)?;
    same.digest.clone()
}

/// Reads which images a build needs.
async fn images_of(env: &Arc<Env>, request: &BuildRequest, text: &str) -> Option<Vec<BaseImage>> {
    let file = Dockerfile::read(text).0?;
    let mut options = Options {
        build_args: request.build_args.clone(),
        target: request.target.clone(),
        platform: first_platform(request),
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

/// Of several platforms the first, for all of them stand on images of the same names as a rule.
fn first_platform(request: &BuildRequest) -> Option<String> {
    let all = request.platform.as_deref()?;
    Some(all.split(',').next().unwrap_or(all).to_owned())
}

/// Asks whoever will give the image to the builder: the engine for what it has, else the registry.
async fn look(lookup: &Lookup<'_>, request: &BuildRequest, image: &BaseImage) -> Digest {
    let is_foreign = request.platform.is_some() || image.platform.is_some();
    if request.pull || is_foreign {
        return lookup.in_registry(&image.reference).await;
    }
    lookup.for_engine(&image.reference).await
}

fn known(image: &BaseImage, digest: &Digest) -> KnownBase {
    KnownBase {
        unknown: match digest {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_is_built_on_again_and_the_rest_stays() {
        let text = "ARG V=1\nFROM golang:$V AS b\nFROM made-here\nCOPY --from=b x y\nCOPY --from=golang:1 x z\n";
        let (file, _) = Dockerfile::read(text);
        let (bases, _) = file.unwrap().bases(&Options::default());
        let (images, _) = base_images(&bases.unwrap());
        let recorded = [
            images[0].with_digest(Some("sha256:d")),
            images[1].with_digest(None),
        ];
        let pinned = pinned(text, &images, |image| recorded_digest(&recorded, image));
        assert_eq!(
            pinned.unwrap(),
            "ARG V=1\nFROM docker.io/library/golang@sha256:d AS b\nFROM made-here\nCOPY --from=b x y\n\
             COPY --from=docker.io/library/golang@sha256:d x z\n"
        );
        assert_eq!(super::pinned(text, &images, |_| None), None);
    }
}

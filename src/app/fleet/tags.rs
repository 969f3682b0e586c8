//! What tags hold: looked up, and set back.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use super::{
    super::{App, AppError},
    images_of,
};
use crate::{
    fleet::{Fact, fixed_digest},
    ports::{FleetEntry, Keyring, RegistryError, Right, name_of},
    spec::reference::Reference,
};

/// How many tags are looked up at once.
const AT_ONCE: usize = 16;

impl App {
    /// Asks the registries what tags hold, those of the whole fleet unless some are named, and records what is news;
    /// gives what is not to be had, in words.
    pub(super) async fn look_at_tags(
        &self,
        keyring: &Keyring,
        only: Option<BTreeSet<String>>,
    ) -> Result<Vec<String>, AppError> {
        let fleet = self.fleet.view().await?.fleet.clone();
        let all = || images_of(&fleet, fleet.graph().order().iter().copied());
        let images = only.unwrap_or_else(all);
        let moving = images.into_iter().filter(|it| fixed_digest(it).is_none());
        let begun = self.ports.clock.now();
        let looked: Vec<_> = stream::iter(moving)
            .map(|image| async move {
                let held = self.held_by(keyring, &image).await;
                (image, held)
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let (mut entries, mut remarks) = (Vec::new(), Vec::new());
        for (image, held) in looked {
            let digest = match held {
                Ok(digest) => digest,
                Err(AppError::Registry(error)) if is_missing(&error) => String::new(),
                Err(error) => {
                    remarks.push(format!("{image}: {error}"));
                    continue;
                }
            };
            let known = fleet.facts().tag(&image);
            if known.map_or("", |it| it.digest.as_str()) != digest {
                // Not later than the answer: what a build pushes meanwhile is the newer truth.
                let at = begun;
                entries.push(FleetEntry::Fact(Fact::Seen { image, digest, at }));
            }
        }
        let mut view = self.fleet.view().await?;
        self.learn_entries(&entries, &mut view).await?;
        Ok(remarks)
    }

    async fn held_by(&self, keyring: &Keyring, image: &str) -> Result<String, AppError> {
        let image = reference(image)?;
        let at = keyring.repository(&image, Right::Pull).await;
        Ok(self
            .ports
            .registry
            .resolve(&at, &name_of(&image), None)
            .await?)
    }

    /// Lets a tag hold an image again that its repository still has; says whether it has.
    pub(super) async fn tag_again(
        &self,
        keyring: &Keyring,
        image: &str,
        digest: &str,
    ) -> Result<bool, AppError> {
        let image = reference(image)?;
        let from = keyring.repository(&image, Right::Pull).await;
        let manifest = match self.ports.registry.manifest(&from, digest).await {
            Ok(manifest) => manifest,
            Err(error) if is_missing(&error) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let to = keyring.repository(&image, Right::Push).await;
        self.ports
            .registry
            .put_manifest(&to, &name_of(&image), &manifest)
            .await?;
        Ok(true)
    }
}

fn reference(image: &str) -> Result<Reference, AppError> {
    Reference::parse(image)
        .map_err(|error| AppError::usage(format!("{image}: {error}"), "Mend its name"))
}

fn is_missing(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::NoSuchTag { .. } | RegistryError::NoSuchRepository { .. }
    )
}

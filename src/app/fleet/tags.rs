//! What tags hold: looked up, and set back.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use super::super::{App, AppError};
use crate::{
    fleet::{Fact, fixed_digest},
    ports::{Keyring, RegistryError, Right, name_of},
    spec::reference::Reference,
};

/// How many tags are looked up at once.
const AT_ONCE: usize = 16;

impl App {
    /// Asks the registries what these tags hold; what is not there, or not to be had, is left out.
    pub(super) async fn look_at(
        &self,
        keyring: &Keyring,
        images: BTreeSet<&String>,
        remarks: &mut Vec<String>,
    ) -> Vec<Fact> {
        let moving = images.into_iter().filter(|it| fixed_digest(it).is_none());
        let looked: Vec<_> = stream::iter(moving)
            .map(|image| async move { (image, self.held_by(keyring, image).await) })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let at = self.ports.clock.now();
        let mut facts = Vec::new();
        for (image, held) in looked {
            match held {
                Ok(digest) => facts.push(Fact::Seen {
                    image: image.clone(),
                    digest,
                    at,
                }),
                // What was never built is not there yet.
                Err(AppError::Registry(error)) if is_missing(&error) => {}
                Err(error) => remarks.push(format!("{image}: {error}")),
            }
        }
        facts
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

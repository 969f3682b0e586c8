//! Which content is behind a reference: asked of whoever will give it to a build.

use std::time::Duration;

use super::Ports;
use crate::{
    ports::{EngineError, ImageInfo, Keyring, Right},
    spec::reference::Reference,
};

/// The tag that is meant where none is written.
const DEFAULT_TAG: &str = "latest";

/// What is known of the content behind a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Digest {
    /// The reference itself says it.
    Written(String),
    /// The registry has this behind it now.
    Registry(String),
    /// The engine has this behind it.
    Engine(String),
    /// Nobody knows; why, in words.
    Unknown(String),
}

impl Digest {
    /// The digest, if it is known.
    pub fn known(&self) -> Option<&str> {
        match self {
            Digest::Written(digest) | Digest::Registry(digest) | Digest::Engine(digest) => {
                Some(digest)
            }
            Digest::Unknown(_) => None,
        }
    }
}

/// Looks digests up.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    /// The outside.
    pub ports: &'a Ports,
    /// Credentials for registries.
    pub keyring: &'a Keyring,
    /// How long a registry may take to answer, all its tries together.
    pub patience: Duration,
}

impl Lookup<'_> {
    /// What the reference means today: in its registry, else on the engine.
    pub async fn today(&self, image: &Reference) -> Digest {
        match self.in_registry(image).await {
            Digest::Unknown(reason) => match self.on_engine(image).await {
                Digest::Unknown(_) => Digest::Unknown(reason),
                known => known,
            },
            known => known,
        }
    }

    /// What an engine that builds will take for it: what it has, else what the registry has.
    pub(super) async fn for_engine(&self, image: &Reference) -> Digest {
        if let Some(digest) = &image.digest {
            return Digest::Written(digest.clone());
        }
        match self.ports.images.image(&image.familiar()).await {
            Ok(None) => self.in_registry(image).await,
            found => of_engine(image, found),
        }
    }

    /// What the registry has behind it now.
    pub(super) async fn in_registry(&self, image: &Reference) -> Digest {
        if let Some(digest) = &image.digest {
            return Digest::Written(digest.clone());
        }
        let tag = image.tag.as_deref().unwrap_or(DEFAULT_TAG);
        let asked = async {
            let at = self.keyring.repository(image, Right::Pull).await;
            self.ports.registry.resolve(&at, tag, None).await
        };
        match tokio::time::timeout(self.patience, asked).await {
            Ok(Ok(digest)) => Digest::Registry(digest),
            Ok(Err(error)) => Digest::Unknown(error.to_string()),
            Err(_) => Digest::Unknown(format!("{} does not answer", image.domain)),
        }
    }

    async fn on_engine(&self, image: &Reference) -> Digest {
        of_engine(image, self.ports.images.image(&image.familiar()).await)
    }
}

fn of_engine(image: &Reference, found: Result<Option<ImageInfo>, EngineError>) -> Digest {
    let found = match found {
        Ok(found) => found,
        Err(error) => return Digest::Unknown(error.to_string()),
    };
    let Some(info) = found else {
        return Digest::Unknown("the engine does not have it".to_owned());
    };
    match own_digest(image, &info.repo_digests) {
        Some(digest) => Digest::Engine(digest),
        None => Digest::Unknown("the engine has it from no registry".to_owned()),
    }
}

/// Finds the digest that an image of the engine has in its own repository.
fn own_digest(image: &Reference, repo_digests: &[String]) -> Option<String> {
    let same = repo_digests
        .iter()
        .filter_map(|text| Reference::parse(text).ok())
        .find(|it| it.name() == image.name());
    same?.digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_digest_of_the_own_repository_counts() {
        let digest = |letter: &str| format!("sha256:{}", letter.repeat(64));
        let there = [
            format!("r.io/mirror/busybox@{}", digest("a")),
            format!("busybox@{}", digest("b")),
        ];
        for (image, expected) in [
            ("busybox:1", Some(digest("b"))),
            ("docker.io/library/busybox", Some(digest("b"))),
            ("r.io/mirror/busybox:2", Some(digest("a"))),
            ("r.io/busybox", None),
        ] {
            let image = Reference::parse(image).unwrap();
            assert_eq!(own_digest(&image, &there), expected);
        }
    }
}

//! Which content is behind a reference: asked of whoever will give it to a build.

use super::Ports;
use crate::{ports::RegistryLogin, spec::reference::Reference};

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
    pub logins: &'a [RegistryLogin],
}

impl Lookup<'_> {
    /// What the reference means today: in its registry, else on the engine.
    pub async fn today(&self, image: &Reference) -> Digest {
        if let Some(digest) = &image.digest {
            return Digest::Written(digest.clone());
        }
        self.on_engine(image).await
    }

    async fn on_engine(&self, image: &Reference) -> Digest {
        match self.ports.images.image(&image.familiar()).await {
            Ok(Some(info)) => match own_digest(image, &info.repo_digests) {
                Some(digest) => Digest::Engine(digest),
                None => {
                    Digest::Unknown("the image on the engine was never in a registry".to_owned())
                }
            },
            Ok(None) => Digest::Unknown("the engine does not have it".to_owned()),
            Err(error) => Digest::Unknown(error.to_string()),
        }
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

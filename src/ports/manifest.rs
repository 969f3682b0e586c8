//! Manifests as registries keep them: bytes with a digest, and what they list.

use bytes::Bytes;
use oci_spec::image::Descriptor;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// A manifest, index or artifact, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its media type, as the registry names it.
    pub media_type: String,
    /// Its digest, `sha256:…`.
    pub digest: String,
    /// Its bytes; they must never be written anew, or the digest is lost.
    pub bytes: Bytes,
}

/// What a manifest lists. Docker's and OCI's kinds differ in names only, so one reading serves all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contents {
    /// The media type that it names itself.
    pub media_type: Option<String>,
    /// The manifests of an index.
    #[serde(default)]
    pub manifests: Vec<Descriptor>,
    /// The configuration of an image.
    pub config: Option<Descriptor>,
    /// The layers of an image.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// The blobs of an artifact of the kind that OCI once had.
    #[serde(default)]
    pub blobs: Vec<Descriptor>,
}

impl Manifest {
    /// Takes bytes for a manifest and computes its digest.
    pub fn new(media_type: impl Into<String>, bytes: impl Into<Bytes>) -> Manifest {
        let bytes = bytes.into();
        Manifest {
            media_type: media_type.into(),
            digest: sha256(&bytes),
            bytes,
        }
    }

    /// Reads what it lists; `Err` says why it is no manifest.
    pub fn contents(&self) -> Result<Contents, String> {
        serde_json::from_slice(&self.bytes).map_err(|error| error.to_string())
    }
}

impl Contents {
    /// Says whether it lists manifests, not layers.
    pub fn is_index(&self) -> bool {
        !self.manifests.is_empty()
    }

    /// Lists every blob that must be there before the manifest is accepted, each once.
    pub fn blobs(&self) -> Vec<&Descriptor> {
        let all = self.config.iter().chain(&self.layers).chain(&self.blobs);
        let mut found: Vec<&Descriptor> = Vec::new();
        for blob in all {
            if !found.iter().any(|it| it.digest() == blob.digest()) {
                found.push(blob);
            }
        }
        found
    }

    /// Finds the manifest for a platform such as `linux/arm64` or `linux/arm/v7`.
    pub fn for_platform(&self, platform: &str) -> Option<&Descriptor> {
        let wanted = Wanted::parse(platform);
        let mut fitting = self.manifests.iter().filter(|it| wanted.fits(it));
        fitting.next()
    }

    /// Lists the platforms of an index, for people.
    pub fn platforms(&self) -> Vec<String> {
        self.manifests.iter().filter_map(platform_of).collect()
    }
}

/// The digest of some bytes, `sha256:…`.
pub fn sha256(bytes: &[u8]) -> String {
    hex_digest(&Sha256::digest(bytes))
}

/// Writes a finished hash as a digest.
pub fn hex_digest(hash: &[u8]) -> String {
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn platform_of(manifest: &Descriptor) -> Option<String> {
    let platform = manifest.platform().as_ref()?;
    let base = format!("{}/{}", platform.os(), platform.architecture());
    Some(match platform.variant() {
        Some(variant) => format!("{base}/{variant}"),
        None => base,
    })
}

/// A platform in the words of indexes.
struct Wanted {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Wanted {
    fn parse(text: &str) -> Wanted {
        let lower = text.to_lowercase();
        let mut parts: Vec<&str> = lower.split('/').collect();
        if parts.len() == 1 {
            parts.insert(0, "linux");
        }
        let architecture = match parts[1] {
            "x86_64" | "x86-64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        Wanted {
            os: parts[0].to_owned(),
            architecture: architecture.to_owned(),
            variant: parts.get(2).map(|it| (*it).to_owned()),
        }
    }

    fn fits(&self, manifest: &Descriptor) -> bool {
        let Some(found) = manifest.platform().as_ref() else {
            return false;
        };
        let same_variant = match (&self.variant, found.variant()) {
            (Some(wanted), Some(found)) => wanted == found,
            // v8 is what arm64 is when nothing is said.
            (Some(wanted), None) => self.architecture == "arm64" && wanted == "v8",
            (None, _) => true,
        };
        found.os().to_string() == self.os
            && found.architecture().to_string() == self.architecture
            && same_variant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Contents {
        let entry = |digit: &str, platform: &str| {
            let digest = format!("sha256:{}", digit.repeat(64));
            format!(
                r#"{{"mediaType": "m", "digest": "{digest}", "size": 2, "platform": {platform}}}"#
            )
        };
        let text = [
            entry("a", r#"{"os": "linux", "architecture": "amd64"}"#),
            entry(
                "b",
                r#"{"os": "linux", "architecture": "arm", "variant": "v6"}"#,
            ),
            entry(
                "c",
                r#"{"os": "linux", "architecture": "arm", "variant": "v7"}"#,
            ),
            entry("d", r#"{"os": "linux", "architecture": "arm64"}"#),
            entry("e", r#"{"os": "windows", "architecture": "amd64"}"#),
        ]
        .join(",");
        serde_json::from_str(&format!(r#"{{"manifests": [{text}]}}"#)).unwrap()
    }

    #[test]
    fn an_index_is_asked_by_platform() {
        for (platform, digit) in [
            ("linux/amd64", Some('a')),
            ("linux/x86_64", Some('a')),
            ("amd64", Some('a')),
            ("linux/arm/v7", Some('c')),
            ("linux/arm", Some('b')),
            ("linux/arm64/v8", Some('d')),
            ("Linux/aarch64", Some('d')),
            ("windows/amd64", Some('e')),
            ("linux/s390x", None),
            ("linux/arm/v5", None),
        ] {
            let index = index();
            let found = index.for_platform(platform);
            let digit_found = found.and_then(|it| it.digest().to_string().chars().last());
            assert_eq!(digit_found, digit, "{platform}");
        }
        assert!(index().platforms().contains(&"linux/arm/v7".to_owned()));
    }

    #[test]
    fn blobs_are_listed_once() {
        let layer = format!(
            r#"{{"mediaType": "m", "digest": "sha256:{}", "size": 2}}"#,
            "a".repeat(64)
        );
        let text = format!(r#"{{"config": {layer}, "layers": [{layer}, {layer}]}}"#);
        let manifest = Manifest::new("m", text);
        let contents = manifest.contents().unwrap();
        assert!(!contents.is_index());
        assert_eq!(contents.blobs().len(), 1);
        assert!(Manifest::new("m", "no").contents().is_err());
    }
}

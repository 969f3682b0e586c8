//! Image references, read and completed as docker does.

use regex::Regex;
use std::fmt;
use std::sync::LazyLock;

/// The registry that a name without a host belongs to.
pub const DEFAULT_DOMAIN: &str = "docker.io";
/// The host that this registry once had; still accepted in its place.
const LEGACY_DOMAIN: &str = "index.docker.io";
/// The folder of names without one on the default registry.
const OFFICIAL_FOLDER: &str = "library";
/// The tag of a reference that has neither tag nor digest.
const DEFAULT_TAG: &str = "latest";
/// The longest name, host included, in bytes.
const LONGEST_NAME: usize = 255;

/// An image reference in its complete form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// The host of the registry, with its port; empty only where a name has dots but is no host.
    pub domain: String,
    /// The path of the repository.
    pub path: String,
    /// The tag, if one is written.
    pub tag: Option<String>,
    /// The digest, if one is written.
    pub digest: Option<String>,
}

/// Why a text is not an image reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing is written.
    #[error("an image reference must not be empty")]
    Empty,
    /// Something in it has no place there.
    #[error("invalid image reference")]
    Format,
    /// The repository has upper-case letters.
    #[error("invalid image reference: the repository name must be lower case")]
    UpperCase,
    /// The name is too long.
    #[error("invalid image reference: the repository name is longer than 255 characters")]
    TooLong,
    /// It looks like an image id.
    #[error("invalid image reference: 64 hexadecimal digits are an image id, not a name")]
    ImageId,
    /// The digest is of a kind that is not known.
    #[error("invalid image reference: the digest must be sha256, sha384 or sha512")]
    DigestAlgorithm,
    /// The digest is too long, too short, or not in lower case.
    #[error("invalid image reference: the digest has a wrong length or upper-case digits")]
    Digest,
}

/// The grammar, in pieces.
struct Grammar {
    /// Name, tag and digest of a whole reference.
    reference: Regex,
    /// Domain and path of a name.
    name: Regex,
    /// A bare image id.
    image_id: Regex,
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    let label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
    let domain = format!(r"{label}(?:\.{label})*(?::[0-9]+)?");
    let component = "[a-z0-9]+(?:(?:[._]|__|-*)[a-z0-9]+)*";
    let path = format!("{component}(?:/{component})*");
    let tag = "[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}";
    let algorithm = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*";
    let digest = format!("{algorithm}:[0-9a-fA-F]{{32,}}");
    let compile = |text: String| Regex::new(&text).expect("the grammar is a constant");
    Grammar {
        reference: compile(format!(
            "^((?:{domain}/)?{path})(?::({tag}))?(?:@({digest}))?$"
        )),
        name: compile(format!("^(?:({domain})/)?({path})$")),
        image_id: compile("^[a-f0-9]{64}$".to_owned()),
    }
});

impl Reference {
    /// Reads a reference as docker's own tools do, adding the default registry and folder.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if GRAMMAR.image_id.is_match(text) {
            return Err(ReferenceError::ImageId);
        }
        let (domain, rest) = split_domain(text);
        let name = rest.split(':').next().unwrap_or(&rest);
        if name.to_lowercase() != name {
            return Err(ReferenceError::UpperCase);
        }
        complete(&format!("{domain}/{rest}"))
    }

    /// Adds the tag `latest` where neither tag nor digest is written.
    pub fn with_default_tag(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some(DEFAULT_TAG.to_owned());
        }
        self
    }

    /// The host and path, without tag and digest.
    pub fn name(&self) -> String {
        if self.domain.is_empty() {
            self.path.clone()
        } else {
            format!("{}/{}", self.domain, self.path)
        }
    }

    /// The short form that people write: without the default registry and its folder.
    pub fn familiar(&self) -> String {
        let name = if self.domain == DEFAULT_DOMAIN {
            match self.path.strip_prefix("library/") {
                Some(short) if !short.contains('/') => short.to_owned(),
                _ => self.path.clone(),
            }
        } else {
            self.name()
        };
        self.written(name)
    }

    fn written(&self, mut name: String) -> String {
        if let Some(tag) = &self.tag {
            name = format!("{name}:{tag}");
        }
        if let Some(digest) = &self.digest {
            name = format!("{name}@{digest}");
        }
        name
    }
}

impl fmt::Display for Reference {
    /// Prints the complete form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written(self.name()))
    }
}

/// Splits off the host; what looks like none is a path on the default registry.
fn split_domain(text: &str) -> (&str, String) {
    let looks_like_host = |part: &str| part.contains(['.', ':']) || part == "localhost";
    let (domain, rest) = match text.split_once('/') {
        Some((first, rest)) if looks_like_host(first) => (first, rest),
        _ => (DEFAULT_DOMAIN, text),
    };
    let domain = if domain == LEGACY_DOMAIN {
        DEFAULT_DOMAIN
    } else {
        domain
    };
    if domain == DEFAULT_DOMAIN && !rest.contains('/') {
        return (domain, format!("{OFFICIAL_FOLDER}/{rest}"));
    }
    (domain, rest.to_owned())
}

/// Reads a text that already has its host.
fn complete(text: &str) -> Result<Reference, ReferenceError> {
    let Some(parts) = GRAMMAR.reference.captures(text) else {
        return Err(if GRAMMAR.reference.is_match(&text.to_lowercase()) {
            ReferenceError::UpperCase
        } else {
            ReferenceError::Format
        });
    };
    let part = |index: usize| parts.get(index).map(|m| m.as_str().to_owned());
    let name = part(1).unwrap_or_default();
    if name.len() > LONGEST_NAME {
        return Err(ReferenceError::TooLong);
    }
    let digest = part(3);
    digest.as_deref().map_or(Ok(()), check_digest)?;
    let halves = GRAMMAR.name.captures(&name);
    let half = |index: usize| halves.as_ref()?.get(index).map(|m| m.as_str().to_owned());
    Ok(Reference {
        domain: half(1).unwrap_or_default(),
        path: half(2).unwrap_or_else(|| name.clone()),
        tag: part(2),
        digest,
    })
}

/// Checks the length and the digits that each kind of digest must have.
fn check_digest(digest: &str) -> Result<(), ReferenceError> {
    let (algorithm, digits) = digest.split_once(':').unwrap_or((digest, ""));
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err(ReferenceError::DigestAlgorithm),
    };
    let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() == length && digits.bytes().all(is_digit) {
        Ok(())
    } else {
        Err(ReferenceError::Digest)
    }
}

//! What a build stands on, as normalised references and as the record that ACR prints.

use serde::{Deserialize, Serialize};

use super::reference::{DEFAULT_DOMAIN, Reference};
use crate::{
    dockerfile::{Base, Bases, Kind, SCRATCH},
    text::{Diagnostic, Diagnostics, Span},
};

/// How the record calls the registry of names without a host.
const HUB: &str = "registry.hub.docker.com";

/// One image from outside that a build needs, in however many places its Dockerfile names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseImage {
    /// The reference, complete.
    pub reference: Reference,
    /// The reference as written, its tag added.
    pub written: String,
    /// The platform that is asked for with it.
    pub platform: Option<String>,
    /// Whether the image that is built begins with it.
    pub is_runtime: bool,
    /// What it is needed for, first in the file first.
    pub kind: Kind,
    /// Every place that names it.
    pub spans: Vec<Span>,
}

impl BaseImage {
    /// The image with the digest that was found for it.
    pub fn with_digest(&self, digest: Option<&str>) -> KnownBase {
        KnownBase {
            image: self.written.clone(),
            digest: digest.map(str::to_owned),
            unknown: None,
            is_runtime: self.is_runtime,
        }
    }
}

/// Makes references of what a Dockerfile names, each image once for each platform; what is none is underlined.
pub fn base_images(bases: &Bases) -> (Vec<BaseImage>, Diagnostics) {
    let mut images: Vec<BaseImage> = Vec::new();
    let mut found = Diagnostics::default();
    for base in &bases.places {
        let reference = match Reference::parse(&base.image) {
            Ok(reference) => reference.with_default_tag(),
            Err(error) => {
                found.push(no_reference(base, &error.to_string()));
                continue;
            }
        };
        let same = |it: &&mut BaseImage| it.reference == reference && it.platform == base.platform;
        match images.iter_mut().find(same) {
            Some(image) => {
                image.is_runtime |= base.is_runtime;
                image.spans.push(base.span);
            }
            None => images.push(BaseImage {
                written: written(&base.image),
                reference,
                platform: base.platform.clone(),
                is_runtime: base.is_runtime,
                kind: base.kind,
                spans: vec![base.span],
            }),
        }
    }
    (images, found)
}

fn no_reference(base: &Base, problem: &str) -> Diagnostic {
    let finding = Diagnostic::error("bad-image", format!("`{}`: {problem}", base.image));
    let finding = finding.at(base.span);
    match base.kind {
        Kind::Copy | Kind::Mount => finding.help("a stage is named as in FROM image AS name"),
        Kind::From | Kind::Syntax => finding,
    }
}

/// Adds the tag that is meant where none is written.
fn written(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or(image);
    let has_more = name.contains([':', '@']);
    if has_more {
        image.to_owned()
    } else {
        format!("{image}:latest")
    }
}

/// One image, as the record names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRecord {
    /// The host of its registry.
    pub registry: String,
    /// Its path there.
    pub repository: String,
    /// Its tag, if it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tag: Option<String>,
    /// Its digest; empty where it is not known.
    pub digest: String,
    /// The reference as written, its tag added.
    pub reference: String,
}

impl ImageRecord {
    /// Takes a reference apart; `None` when it is none.
    pub fn of(image: &str, digest: Option<&str>) -> Option<ImageRecord> {
        let reference = Reference::parse(image).ok()?.with_default_tag();
        let digest = reference.digest.as_deref().or(digest);
        let host = reference.domain.as_str();
        let is_hub = host == DEFAULT_DOMAIN && !image.starts_with(DEFAULT_DOMAIN);
        Some(ImageRecord {
            registry: if is_hub { HUB } else { host }.to_owned(),
            repository: reference.path.clone(),
            tag: reference.tag.clone(),
            digest: digest.unwrap_or_default().to_owned(),
            reference: written(image),
        })
    }
}

/// What git says of the context.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GitRecord {
    /// The commit; empty where the context has none.
    #[serde(rename = "git-head-revision")]
    pub head_revision: String,
}

/// The record of one image that a build makes, word for word as in ACR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Dependencies {
    /// The image that is made; `None` for a build without a name.
    pub image: Option<ImageRecord>,
    /// The image that it begins with.
    pub runtime_dependency: Option<ImageRecord>,
    /// The other images that it needs; `None` where there are none.
    pub buildtime_dependency: Option<Vec<ImageRecord>>,
    /// Where its context comes from.
    pub git: GitRecord,
}

/// A base image with the digest that it has, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownBase {
    /// The reference as written, its tag added.
    pub image: String,
    /// Its digest.
    pub digest: Option<String>,
    /// Why its digest is not known, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unknown: Option<String>,
    /// Whether the image that is built begins with it.
    pub is_runtime: bool,
}

/// Writes the record: one element for each name that the build gives, or one without.
pub fn record(tags: &[String], bases: &[KnownBase], head_revision: &str) -> Vec<Dependencies> {
    let image = |base: &KnownBase| ImageRecord::of(&base.image, base.digest.as_deref());
    let runtime = match bases.iter().find(|base| base.is_runtime) {
        Some(base) => image(base),
        None => ImageRecord::of(SCRATCH, None),
    };
    let mut buildtime: Vec<ImageRecord> = Vec::new();
    for record in bases
        .iter()
        .filter(|base| !base.is_runtime)
        .filter_map(image)
    {
        let same = |it: &ImageRecord| {
            (&it.registry, &it.repository, &it.tag, &it.digest)
                == (
                    &record.registry,
                    &record.repository,
                    &record.tag,
                    &record.digest,
                )
        };
        if !buildtime.iter().chain(&runtime).any(same) {
            buildtime.push(record);
        }
    }
    let of = |image: Option<ImageRecord>| Dependencies {
        image,
        runtime_dependency: runtime.clone(),
        buildtime_dependency: Some(buildtime.clone()).filter(|it| !it.is_empty()),
        git: GitRecord {
            head_revision: head_revision.to_owned(),
        },
    };
    if tags.is_empty() {
        return vec![of(None)];
    }
    tags.iter()
        .map(|tag| of(ImageRecord::of(tag, None)))
        .collect()
}

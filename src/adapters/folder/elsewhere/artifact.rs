//! Artifacts of registries: files, or archives of files, as the layers of a manifest.

use std::path::Path;

use futures_util::{StreamExt, TryStreamExt};
use oci_spec::image::Descriptor;
use tokio::{fs::File, io::AsyncReadExt};

use super::{
    Elsewhere, archive,
    blocking::blocking,
    compression::{TELLING_BYTES, told_from},
    failure::Failing,
    opened,
};
use crate::{
    adapters::folder::{
        Caps,
        cache::{Draft, Kept},
        hostile::{real_parent, safe_path},
    },
    ports::{Access, Manifest, OpenError, Opened, Pin, RegistryError, Repository},
    spec::reference::Reference,
};

/// The annotation with a layer's name as a file.
const TITLE: &str = "org.opencontainers.image.title";
/// The annotation that says whether a layer is a packed folder.
const UNPACK: &str = "io.deis.oras.content.unpack";
/// More layers than anybody makes.
const MOST_LAYERS: usize = 500;

/// Opens an artifact; `recorded` is the digest that it must have.
pub async fn open(
    at: &Elsewhere,
    (name, recorded): (&str, Option<&str>),
    access: &Access,
) -> Result<Opened, OpenError> {
    let failing = Failing::of(format!("oci://{name}"));
    let reference = Reference::parse(name).map_err(|error| failing.missing(error, ""))?;
    let login = access
        .registries
        .iter()
        .find(|login| login.server == reference.domain);
    let repository = Repository::of(&reference, login);
    let wanted = match recorded {
        Some(digest) => digest.to_owned(),
        None => find(at, (&repository, &reference), &failing).await?,
    };
    let kept = match at.find(&name_of(&wanted), &failing).await? {
        Some(kept) => kept,
        None => pull(at, (&repository, &wanted), &failing).await?,
    };
    let name = name.to_owned();
    let digest = wanted;
    Ok(opened(kept, Pin::Artifact { name, digest }))
}

/// Names what an artifact with this digest unpacks to.
fn name_of(digest: &str) -> String {
    format!("artifact-{}", digest.trim_start_matches("sha256:"))
}

/// Finds the digest that a name stands for now.
async fn find(
    at: &Elsewhere,
    (repository, reference): (&Repository, &Reference),
    failing: &Failing,
) -> Result<String, OpenError> {
    if let Some(digest) = &reference.digest {
        return Ok(digest.clone());
    }
    let tag = reference.tag.as_deref().unwrap_or("latest");
    let found = at.registry.resolve(repository, tag, None).await;
    found.map_err(|error| failing.registry(&error))
}

async fn pull(
    at: &Elsewhere,
    (repository, digest): (&Repository, &str),
    failing: &Failing,
) -> Result<Kept, OpenError> {
    let manifest: Manifest = at
        .registry
        .manifest(repository, digest)
        .await
        .map_err(|error| failing.registry(&error))?;
    let contents = manifest.contents().map_err(|e| failing.refused(e, ""))?;
    if contents.is_index() {
        return Err(failing.refused(
            "it lists manifests for several platforms",
            "Name one of them by its digest",
        ));
    }
    let layers = [contents.layers, contents.blobs].concat();
    let bytes: u64 = layers.iter().map(Descriptor::size).sum();
    if layers.is_empty() || layers.len() > MOST_LAYERS || bytes > at.bounds.download_bytes {
        let count = layers.len();
        return Err(failing.refused(format!("it has {count} layers of {bytes} bytes"), ""));
    }
    let cache = at.cache.clone();
    let draft = blocking(failing, move || cache.begin()).await?;
    let mut left = at.bounds.caps;
    let is_alone = layers.len() == 1;
    for layer in &layers {
        take(
            at,
            (repository, layer, is_alone),
            (&draft, &mut left),
            failing,
        )
        .await?;
    }
    at.put(draft, name_of(digest), failing).await
}

/// Takes one layer: unpacks an archive, writes everything else under its name.
async fn take(
    at: &Elsewhere,
    (repository, layer, is_alone): (&Repository, &Descriptor, bool),
    (draft, left): (&Draft, &mut Caps),
    failing: &Failing,
) -> Result<(), OpenError> {
    let digest = layer.digest().to_string();
    let opened = at.registry.blob(repository, &digest).await;
    let bytes = opened.map_err(|error: RegistryError| failing.registry(&error))?;
    let bytes = bytes.map_err(std::io::Error::other).boxed();
    let file = draft.scratch().join("layer");
    archive::write(at, bytes, &file, failing).await?;
    let annotation = |name: &str| layer.annotations().as_ref()?.get(name).cloned();
    let title = annotation(TITLE);
    let is_folder = annotation(UNPACK).as_deref() == Some("true");
    let is_packed =
        is_folder || title.is_none() || (is_alone && is_archive(&file, failing).await?);
    if is_packed {
        let done = archive::fill(*left, &file, &draft.tree(), failing).await?;
        left.entries = left.entries.saturating_sub(done.entries);
        left.bytes = left.bytes.saturating_sub(done.bytes);
        return Ok(());
    }
    let (tree, title) = (draft.tree(), title.unwrap_or_default());
    let odd = |reason: &str| {
        let reason = format!("its file {} {reason}", title.escape_debug());
        failing.refused(reason, "")
    };
    let path = safe_path(title.as_bytes()).map_err(odd)?;
    let parent = real_parent(&tree, &path).map_err(|error| failing.unpacking(&error))?;
    let target = parent.join(path.file_name().ok_or_else(|| odd("has no name"))?);
    std::fs::rename(&file, target).map_err(|error| failing.machine(error))
}

/// Says whether a file is an archive: a folder's worth of files was packed by hand and pushed as it is.
async fn is_archive(file: &Path, failing: &Failing) -> Result<bool, OpenError> {
    let opened = File::open(file).await.map_err(|e| failing.machine(e))?;
    let mut first = Vec::new();
    let mut start = opened.take(TELLING_BYTES as u64);
    let read = start.read_to_end(&mut first).await;
    read.map(|_| told_from(&first).is_some())
        .map_err(|error| failing.machine(error))
}

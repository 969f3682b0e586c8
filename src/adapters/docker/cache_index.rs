//! The index of a folder with cached layers: which of its manifests has which name, as in an OCI layout.

use std::{collections::HashMap, fs, io, path::Path};

use oci_spec::image::{
    ANNOTATION_REF_NAME, Descriptor, ImageIndex, ImageIndexBuilder, MediaType, OciLayoutBuilder,
};

/// The digest of the cache with this name; `Err` says why there is none.
pub(super) fn find(folder: &Path, tag: &str) -> Result<String, String> {
    let index = read(folder).map_err(|error| error.to_string())?;
    let mut manifests = index.manifests().iter();
    let found = manifests.find(|it| name_of(it) == Some(tag));
    let missing = || format!("it holds none with the name {tag}");
    Ok(found.ok_or_else(missing)?.digest().to_string())
}

/// Gives this manifest the name, which another may have had.
pub(super) fn name(folder: &Path, tag: &str, manifest: &Descriptor) -> io::Result<()> {
    let mut index = match read(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => empty()?,
        other => other?,
    };
    let mut named = manifest.clone();
    let mut annotations: HashMap<_, _> = named.annotations().clone().unwrap_or_default();
    annotations.insert(ANNOTATION_REF_NAME.to_owned(), tag.to_owned());
    named.set_annotations(Some(annotations));
    let mut manifests = index.manifests().clone();
    manifests.retain(|it| name_of(it) != Some(tag));
    manifests.push(named);
    index.set_manifests(manifests);
    let layout = OciLayoutBuilder::default()
        .image_layout_version("1.0.0")
        .build();
    let layout = layout.map_err(io::Error::other)?;
    layout
        .to_file(folder.join("oci-layout"))
        .map_err(io::Error::other)?;
    // Whoever reads it meanwhile sees the old one or the new one.
    let draft = tempfile::NamedTempFile::new_in(folder)?;
    index.to_file(draft.path()).map_err(io::Error::other)?;
    draft.persist(folder.join("index.json"))?;
    Ok(())
}

fn read(folder: &Path) -> io::Result<ImageIndex> {
    let text = fs::read_to_string(folder.join("index.json"))?;
    Ok(serde_json::from_str(&text)?)
}

fn empty() -> io::Result<ImageIndex> {
    let index = ImageIndexBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageIndex)
        .manifests(Vec::new());
    index.build().map_err(io::Error::other)
}

fn name_of(manifest: &Descriptor) -> Option<&str> {
    let annotations = manifest.annotations().as_ref()?;
    annotations.get(ANNOTATION_REF_NAME).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(digit: char) -> Descriptor {
        let digest = format!("sha256:{}", digit.to_string().repeat(64));
        let digest: oci_spec::image::Digest = digest.parse().expect("a digest");
        Descriptor::new(MediaType::ImageIndex, 7, digest)
    }

    #[test]
    fn a_name_moves_and_others_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        assert!(find(at, "latest").is_err());
        name(at, "latest", &manifest('a')).expect("named");
        name(at, "other", &manifest('b')).expect("named");
        name(at, "latest", &manifest('c')).expect("named");
        let digest = |tag| find(at, tag).expect("there");
        assert_eq!(digest("latest"), manifest('c').digest().to_string());
        assert_eq!(digest("other"), manifest('b').digest().to_string());
        let missing = find(at, "none").expect_err("no such name");
        assert!(missing.contains("none"), "{missing}");
        assert!(at.join("oci-layout").is_file());
    }
}

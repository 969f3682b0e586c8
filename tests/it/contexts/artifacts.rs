//! Artifacts of a real registry become folders.

use careen::{
    ports::{Blob, Contexts, Manifest, OpenFault, Registry, Repository, Upload, sha256, whole},
    spec::reference::Reference,
};
use serde_json::{Value, json};

use super::{Place, near, refusal, registry, servers::tar_of, text_of};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A layer: its title, whether it says that it is a packed folder, its bytes.
type Layer<'a> = (Option<&'a str>, bool, Vec<u8>);

/// A repository of the registry of the tests that nobody else uses; `None`, said aloud, where there is no registry.
async fn repository() -> Option<(String, Repository)> {
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let name = format!("{}/careen-test/{unique}", crate::specs::registry());
    let reference = Reference::parse(&name).unwrap();
    let repository = Repository::of(&reference, None);
    match registry().ping(&repository).await {
        Ok(()) => Some((name, repository)),
        Err(error) => {
            println!("skipped: no registry: {error}");
            None
        }
    }
}

async fn put_blob(at: &Repository, bytes: &[u8]) -> Value {
    let blob = Blob {
        digest: sha256(bytes),
        size_bytes: bytes.len() as u64,
    };
    let upload = registry().begin_blob(at, &blob.digest, None).await.unwrap();
    if let Upload::Open(upload) = upload {
        let registry = registry();
        let done = registry.write_blob(at, &upload, &blob, whole(bytes.to_vec()));
        done.await.unwrap();
    }
    json!({
        "mediaType": "application/vnd.oci.image.layer.v1.tar",
        "digest": blob.digest,
        "size": blob.size_bytes,
    })
}

/// Pushes an artifact with these layers under a tag, and says its digest.
async fn push(at: &Repository, tag: &str, layers: &[Layer<'_>]) -> String {
    let mut described = Vec::new();
    for (title, is_folder, bytes) in layers {
        let mut layer = put_blob(at, bytes).await;
        layer["annotations"] = json!({ "io.deis.oras.content.unpack": is_folder.to_string() });
        if let Some(title) = title {
            layer["annotations"]["org.opencontainers.image.title"] = json!(title);
        }
        described.push(layer);
    }
    let config = put_blob(at, b"{}").await;
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": described,
    });
    let manifest = Manifest::new(MANIFEST, manifest.to_string());
    registry().put_manifest(at, tag, &manifest).await.unwrap();
    manifest.digest
}

#[tokio::test(flavor = "multi_thread")]
async fn packed_folders_single_archives_and_files_are_taken_as_what_they_are() {
    let Some((name, at)) = repository().await else {
        return;
    };
    let folder = zstd::encode_all(&tar_of(&[("src/a", "text")])[..], 3).unwrap();
    let plain = tar_of(&[("src/a", "text")]);
    let cases: [(&str, Vec<Layer<'_>>); 4] = [
        ("folder", vec![(Some("src"), true, folder.clone())]),
        ("archive", vec![(Some("src.tar.zst"), false, folder)]),
        ("untitled", vec![(None, false, plain.clone())]),
        (
            "several",
            vec![
                (Some("src/a"), false, b"text".to_vec()),
                (Some("kept.tar"), false, plain),
            ],
        ),
    ];
    let place = Place::new();
    for (tag, layers) in cases {
        push(&at, tag, &layers).await;
        let opened = place.open(&format!("oci://{name}:{tag}")).await.unwrap();
        assert_eq!(text_of(&opened, "src/a"), "text", "{tag}");
        assert_eq!(opened.folder.join("kept.tar").exists(), tag == "several");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_is_opened_again_by_the_digest_that_was_recorded() {
    let Some((name, at)) = repository().await else {
        return;
    };
    let layer = |text: &str| (None, false, tar_of(&[("a", text)]));
    let digest = push(&at, "1", &[layer("first")]).await;
    let first = Place::new().open(&format!("oci://{name}:1")).await.unwrap();
    assert!(format!("{:?}", first.pin).contains(&digest));
    push(&at, "1", &[layer("second")]).await;
    let place = Place::new();
    let again = place.contexts.reopen(&first.pin, &near()).await.unwrap();
    assert_eq!(text_of(&again, "a"), "first");
    let by_digest = place.open(&format!("oci://{name}@{digest}")).await.unwrap();
    assert_eq!(text_of(&by_digest, "a"), "first");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_hostile_is_refused_and_leaves_nothing() {
    let Some((name, at)) = repository().await else {
        return;
    };
    let file = |title| (Some(title), false, b"x".to_vec());
    push(&at, "out", &[file("../x"), file("y")]).await;
    push(&at, "root", &[file("/x"), file("y")]).await;
    push(&at, "none", &[(None, false, b"no archive".to_vec())]).await;
    let place = Place::new();
    for (tag, fault, reason) in [
        ("out", OpenFault::Refused, "its file ../x has `..`"),
        (
            "root",
            OpenFault::Refused,
            "its file /x is an absolute path",
        ),
        ("none", OpenFault::Refused, "it is no archive"),
        ("gone", OpenFault::Missing, ""),
    ] {
        let error = refusal(place.open(&format!("oci://{name}:{tag}")).await);
        assert_eq!(error.fault, fault, "{tag}: {error}");
        assert!(error.reason.contains(reason), "{tag}: {error}");
    }
    assert!(place.entries().is_empty(), "{:?}", place.entries());
}

//! A list of images for several platforms that was pushed anew with the same content gives way to the one before.

use careen::{
    adapters::memory::registry::MemoryRegistry,
    ports::{Manifest, Registry, Repository},
    runner::HeldList,
    spec::reference::Reference,
};
use serde_json::json;

use crate::registries::write_blob;

/// Platforms, each with its layer.
type Images<'a> = &'a [(&'a str, &'a str)];

const LIST: &str = "application/vnd.oci.image.index.v1+json";
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

fn at() -> Repository {
    Repository {
        host: "r.io".to_owned(),
        path: "app".to_owned(),
        login: None,
    }
}

/// Pushes a list with an image for each platform, of this layer and made at this time.
async fn push(registry: &MemoryRegistry, images: Images<'_>, made: &str) -> Manifest {
    let mut entries = Vec::new();
    for (architecture, layer) in images {
        let config = json!({
            "architecture": architecture, "os": "linux", "created": made,
            "rootfs": { "type": "layers", "diff_ids": [layer] },
        });
        let bytes = config.to_string();
        let digest = write_blob(registry, &at(), bytes.as_bytes()).await;
        let digest = digest.expect("a blob");
        let text = json!({
            "schemaVersion": 2, "mediaType": IMAGE, "layers": [],
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest, "size": bytes.len(),
            },
        });
        let image = Manifest::new(IMAGE, text.to_string());
        let put = registry.put_manifest(&at(), &image.digest, &image).await;
        put.expect("an image");
        entries.push(json!({
            "mediaType": IMAGE, "digest": image.digest, "size": image.bytes.len(),
            "platform": { "os": "linux", "architecture": architecture },
        }));
    }
    let text = json!({ "schemaVersion": 2, "mediaType": LIST, "manifests": entries });
    let list = Manifest::new(LIST, text.to_string());
    let put = registry.put_manifest(&at(), "1", &list).await;
    put.expect("a list");
    list
}

#[tokio::test]
async fn a_list_of_the_same_content_on_every_platform_gives_way_to_the_one_before() {
    let both = [("amd64", "sha256:a"), ("arm64", "sha256:b")];
    let cases: [(&str, Images<'_>, bool); 4] = [
        ("the same", &both, true),
        ("in another order", &[both[1], both[0]], true),
        ("one is other", &[both[0], ("arm64", "sha256:c")], false),
        ("one is missing", &both[..1], false),
    ];
    for (name, images, is_same) in cases {
        let registry = MemoryRegistry::new();
        registry.add_host("r.io");
        let held = HeldList {
            image: Reference::parse("r.io/app:1").expect("a reference"),
            manifest: push(&registry, &both, "monday").await,
        };
        let pushed = push(&registry, images, "tuesday").await;
        let at = at();
        let done = held.put_back((&registry, &at), &pushed.digest).await;
        assert_eq!(done, Ok(is_same), "{name}");
        let holds = registry.manifest(&at, "1").await.expect("a list").digest;
        let wanted = if is_same { &held.manifest } else { &pushed };
        assert_eq!(holds, wanted.digest, "{name}");
    }
}

//! Layers are packed while a test runs, and nothing of them is published before the push.

use std::time::{Duration, Instant};

use careen::ports::{Images, PackedLayer, Registry, sha256};
use futures_util::TryStreamExt;
use tokio::sync::mpsc;

use crate::{
    careens::{Careen, wait_for},
    registries::{Kind, Server},
};

/// Makes a layer that no cache has.
fn dockerfile(name: &str) -> String {
    format!("FROM busybox\nRUN echo {name} && head -c 6000000 /dev/urandom > /large\n")
}

/// Waits until the engine has no name any more that was given for packing.
fn no_name_is_left(careen: &Careen) {
    let until = Instant::now() + Duration::from_secs(10);
    let docker = careen.engine().client();
    loop {
        let options = None::<bollard::query_parameters::ListImagesOptions>;
        let images = wait_for(docker.list_images(options)).expect("images");
        let mut names = images
            .iter()
            .flat_map(|it| it.repo_tags.iter().chain(&it.repo_digests));
        let left =
            names.find(|name| name.starts_with("127.0.0.1:") && name.contains("/careen-packing-"));
        match left {
            None => return,
            Some(name) => assert!(Instant::now() < until, "{name} is left"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn new_layers_are_packed_once_and_are_what_their_digests_say() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    let image = careen.image("packed");
    careen.file("Dockerfile", &dockerfile(&image));
    careen.steps(&format!("  - id: make\n    build: -t {image} .\n"));
    careen.run(&[]).exits(0);
    let engine = careen.engine().connect();
    wait_for(async {
        let (begin, mut begun) = mpsc::unbounded_channel::<PackedLayer>();
        let reading = async {
            let mut read = Vec::new();
            while let Some(layer) = begun.recv().await {
                let bytes: Vec<_> = layer.bytes().try_collect().await.expect("bytes");
                read.push((layer, bytes.concat()));
            }
            read
        };
        let (packed, layers) = tokio::join!(engine.pack(&image, begin), reading);
        packed.expect("packed");
        let large = layers.iter().find(|(_, bytes)| bytes.len() > 5_000_000);
        let (large, grown) = large.expect("a large layer");
        let blob = large.whole().await.expect("all of it");
        let whole: Vec<_> = large.bytes().try_collect().await.expect("bytes");
        for bytes in [grown, &whole.concat()] {
            assert_eq!(bytes.len() as u64, blob.size_bytes);
            assert_eq!(sha256(bytes), blob.digest);
        }
        let (begin, mut begun) = mpsc::unbounded_channel::<PackedLayer>();
        engine.pack(&image, begin).await.expect("packed");
        while let Some(layer) = begun.recv().await {
            assert_ne!(layer.blob(), large.blob(), "it is packed twice");
        }
    });
    no_name_is_left(&careen);
}

#[test]
fn what_was_packed_is_pushed_after_the_test_and_not_at_all_when_it_fails() {
    let (Some(mut careen), Some(server)) = (Careen::on_docker(), Server::start(Kind::Open)) else {
        return;
    };
    let name = careen.image("tested");
    careen.file("Dockerfile", &dockerfile(&name));
    let image = format!("{}/{name}", server.host);
    careen.keep_track(&image);
    let steps = |test: &str| {
        format!(
            "  - id: make\n    build: -t {image} .\n  - id: try\n    cmd: {image} {test}\n  - id: send\n    push: ['{image}']\n"
        )
    };
    let (path, tag) = name.rsplit_once(':').expect("a tag");
    let (client, at) = (server.client(), server.at(path));
    careen.steps(&steps("sh -c 'sleep 2; exit 1'"));
    careen.run(&[]).exits(1);
    assert!(wait_for(client.tags(&at)).is_err(), "nothing was published");
    careen.steps(&steps("sleep 1"));
    careen.run(&[]).exits(0);
    let pushed = wait_for(client.manifest(&at, tag)).expect("a manifest");
    assert!(careen.latest().to_string().contains(&pushed.digest));
    let whole = wait_for(async {
        let contents = pushed.contents().expect("an image");
        let mut bytes = 0;
        for blob in contents.blobs() {
            let stream = client
                .blob(&at, blob.digest().as_ref())
                .await
                .expect("a blob");
            let pieces: Vec<_> = stream.try_collect().await.expect("its right bytes");
            bytes += pieces.concat().len();
        }
        bytes
    });
    assert!(whole > 6_000_000, "{whole} bytes");
    no_name_is_left(&careen);
}

//! Layers are packed while a test runs, and nothing of them is published before the push.

use std::time::{Duration, Instant};

use careen::ports::{Images, Registry, sha256};
use futures_util::TryStreamExt;

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
        let layers = engine.pack(&image).await.expect("layers");
        let sizes: Vec<_> = layers.iter().map(|it| it.blob.size_bytes).collect();
        let large = layers.iter().find(|it| it.blob.size_bytes > 5_000_000);
        let large = large.unwrap_or_else(|| panic!("a large one among {sizes:?}"));
        for _ in 0..2 {
            let bytes: Vec<_> = large.bytes().try_collect().await.expect("bytes");
            let bytes = bytes.concat();
            assert_eq!(bytes.len() as u64, large.blob.size_bytes);
            assert_eq!(sha256(&bytes), large.blob.digest);
        }
        let again = engine.pack(&image).await.expect("layers");
        let known = again.iter().any(|it| it.blob.digest == large.blob.digest);
        assert!(!known, "it is packed twice");
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

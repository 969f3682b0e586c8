//! Files go into containers and volumes, and come out again.

use std::sync::Arc;

use bytes::Bytes;
use careen::ports::{EngineError, Stream, TarStream};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    claims,
    world::{World, files_of, on_docker, refused, tar_of, text, volume_mount},
};

claims! {
    files_go_into_a_volume_of_a_container_that_never_starts,
    files_of_an_ended_container_come_out,
    a_file_that_is_not_there_is_not_found,
    an_upload_whose_source_fails_says_why,
}

/// An archive in pieces that respect nothing.
fn pieces(archive: Vec<u8>) -> TarStream {
    let pieces: Vec<_> = archive
        .chunks(700)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    stream::iter(pieces).boxed()
}

async fn download(world: &World, id: &str, path: &str) -> Vec<(String, String)> {
    let archive = world.containers.download(id, path).await.expect("download");
    let archive: Vec<Bytes> = archive.try_collect().await.expect("a whole archive");
    files_of(&archive.concat())
}

async fn files_go_into_a_volume_of_a_container_that_never_starts(world: Arc<World>) {
    let volume = world.volume("files").await;
    let empty = world.name("empty") + ":1";
    for _ in 0..2 {
        world
            .images
            .ensure_empty_image(&empty)
            .await
            .expect("an empty image");
    }
    let mut spec = world.shell("carrier", "true", &[]);
    spec.image = empty.clone();
    spec.mounts = vec![volume_mount(&volume, "/workspace")];
    let carrier = world.containers.create(&spec).await.expect("create");
    let archive = tar_of(&[("a.txt", "one"), ("sub/b.txt", "two")]);
    world
        .containers
        .upload(&carrier, "/workspace", pieces(archive))
        .await
        .expect("upload");
    world.containers.remove(&carrier).await.expect("remove");

    spec.name = world.name("other-carrier");
    let other = world.containers.create(&spec).await.expect("create");
    let mut files = download(&world, &other, "/workspace/.").await;
    files.sort();
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.trim_start_matches("./"), &text[..]))
        .collect();
    assert_eq!(files, [("a.txt", "one"), ("sub/b.txt", "two")]);
    assert_eq!(
        download(&world, &other, "/workspace/sub/b.txt").await,
        [("b.txt".to_string(), "two".to_string())]
    );
    let contents = world.containers.download(&other, "/workspace/sub/b.txt/.");
    assert!(contents.await.is_err(), "a file has no contents to pack");
    world.containers.remove(&other).await.expect("remove");
    world.forget_image(&empty).await;
}

async fn files_of_an_ended_container_come_out(world: Arc<World>) {
    let (id, _) = world.run(&world.shell("writer", "true", &[])).await;
    let archive = tar_of(&[("report.txt", "fine")]);
    world
        .containers
        .upload(&id, "/tmp", pieces(archive))
        .await
        .expect("upload");
    let files = download(&world, &id, "/tmp/report.txt").await;
    assert_eq!(files, [("report.txt".to_string(), "fine".to_string())]);
}

async fn a_file_that_is_not_there_is_not_found(world: Arc<World>) {
    let id = world
        .containers
        .create(&world.shell("bare", "true", &[]))
        .await
        .expect("create");
    let Err(error) = world.containers.download(&id, "/no/such/file").await else {
        panic!("there is no such file");
    };
    assert!(matches!(error, EngineError::NotFound(_)), "{error:?}");
    let uploaded = world
        .containers
        .upload(&id, "/no/such/folder", pieces(tar_of(&[("a", "b")])));
    let error = refused(uploaded.await);
    assert!(matches!(error, EngineError::NotFound(_)), "{error:?}");
}

async fn an_upload_whose_source_fails_says_why(world: Arc<World>) {
    let id = world
        .containers
        .create(&world.shell("fed", "true", &[]))
        .await
        .expect("create");
    let begin = Bytes::from(tar_of(&[("a", "b")])).slice(..600);
    let broken = stream::iter([Ok(begin), Err(std::io::Error::other("the file shrank"))]).boxed();
    let error = refused(world.containers.upload(&id, "/tmp", broken).await);
    assert_eq!(error.to_string(), "the file shrank");
}

#[tokio::test]
async fn a_volume_is_shared_by_the_containers_that_mount_it() {
    on_docker(async |world: Arc<World>| {
        let volume = world.volume("shared").await;
        let mut writer = world.shell("writer", "echo hello > /data/file", &[]);
        writer.mounts = vec![volume_mount(&volume, "/data")];
        world.run(&writer).await;
        let mut reader = world.shell("reader", "cat /data/file; echo x > /data/file", &[]);
        reader.mounts = vec![volume_mount(&volume, "/data")];
        reader.mounts[0].read_only = true;
        let (id, exit) = world.run(&reader).await;
        assert_eq!(text(&world.output(&id).await, Stream::Stdout), "hello\n");
        assert_ne!(exit.code, 0, "it may only be read");
    })
    .await;
}

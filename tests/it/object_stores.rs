//! Objects in what speaks S3 and Azure Blob as those clouds do: the same claims over both.

mod buckets;
mod emulators;
mod outages;
mod runs;
mod words;

use std::path::Path;

use bytes::Bytes;
use careen::ports::{ObjectError, Objects};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    faulty_proxy::{Fault, Proxy},
    world::World,
};
use emulators::{KINDS, Kind, Store};

/// More than one part, and no whole number of them.
const LARGE: usize = 20 * 1024 * 1024 + 1;
/// More than S3 lists at once.
const MANY: usize = 1_010;

/// Checks a claim on each kind of store, in a bucket of its own.
async fn on_every_kind(claim: impl AsyncFn(&Store, &dyn Objects)) {
    for kind in KINDS {
        if let Some(store) = Store::shared(kind).await {
            claim(&store, &store.objects()).await;
        }
    }
}

/// Bytes in which nothing repeats soon.
fn content(size: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(&mut next).take(size).collect()
}

async fn got(objects: &dyn Objects, key: &str) -> Vec<u8> {
    let found = objects.get(key).await.expect("an answer");
    let pieces: Vec<Bytes> = found
        .expect("it is there")
        .try_collect()
        .await
        .expect("whole");
    pieces.concat()
}

#[tokio::test]
async fn what_is_kept_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    on_every_kind(async |store, objects| {
        for size in [0, 1, 8 * 1024 * 1024, LARGE] {
            let bytes = content(size);
            std::fs::write(&file, &bytes).unwrap();
            for key in ["contexts/one.tar", "contexts/with a space, ü and 100%.tar"] {
                objects.put(key, &file).await.unwrap();
                assert!(
                    got(objects, key).await == bytes,
                    "{size} in {:?}",
                    store.kind
                );
                assert_eq!(objects.size(key).await, Ok(Some(size as u64)));
            }
        }
        objects
            .put_bytes("contexts/one.tar", Bytes::from_static(b"other"))
            .await
            .unwrap();
        let bytes = objects.get_bytes("contexts/one.tar").await;
        assert_eq!(bytes, Ok(Some(Bytes::from_static(b"other"))));
    })
    .await;
}

#[tokio::test]
async fn what_is_missing_is_no_error() {
    on_every_kind(async |_, objects| {
        assert!(objects.get("contexts/none.tar").await.unwrap().is_none());
        assert_eq!(objects.get_bytes("contexts/none.tar").await, Ok(None));
        assert_eq!(objects.size("contexts/none.tar").await, Ok(None));
        assert_eq!(objects.delete("contexts/none.tar").await, Ok(()));
        assert_eq!(objects.list("contexts").await, Ok(Vec::new()));
        assert_eq!(objects.check().await, Ok(()));
    })
    .await;
}

#[tokio::test]
async fn a_list_has_all_below_a_key_and_nothing_beside_it() {
    on_every_kind(async |store, objects| {
        let beside = store.objects_at(&format!("{}er", store.address()), &store.url);
        let put = async |objects: &dyn Objects, key: String| {
            objects
                .put_bytes(&key, Bytes::from_static(b"abc"))
                .await
                .unwrap();
        };
        put(&beside, "contexts/other".to_owned()).await;
        put(objects, "contexts-of-others/one".to_owned()).await;
        let keys = || (0..MANY).map(|it| format!("contexts/{it:04}"));
        let puts = stream::iter(keys()).map(|key| put(objects, key));
        puts.buffer_unordered(16).collect::<Vec<()>>().await;

        let mut found = objects.list("contexts").await.unwrap();
        found.sort_by(|one, other| one.key.cmp(&other.key));
        assert!(
            found.iter().map(|it| it.key.clone()).eq(keys()),
            "{:?}",
            store.kind
        );
        assert!(found.iter().all(|it| it.bytes == 3));
        assert_eq!(objects.list("").await.unwrap().len(), MANY + 1);

        objects.delete("contexts/0007").await.unwrap();
        assert_eq!(objects.size("contexts/0007").await, Ok(None));
        assert_eq!(objects.list("contexts").await.unwrap().len(), MANY - 1);
    })
    .await;
}

#[tokio::test]
async fn parts_of_what_could_not_be_kept_are_not_left_behind() {
    let Some(store) = Store::shared(Kind::S3).await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, content(LARGE)).unwrap();
    // The first connection begins the upload; the second one is opened when two parts go side by side.
    let faults = [Fault::CutAfter(usize::MAX), Fault::Answer(403, 0)];
    let proxy = Proxy::before(store.host(), &faults).await;
    let objects = store.objects_at(&store.address(), &format!("http://{}", proxy.host));
    let refused: ObjectError = objects.put("contexts/one.tar", &file).await.unwrap_err();
    assert!(refused.problem.contains("403"), "{refused}");

    let uploads = format!("{}/{}?uploads", store.url, store.bucket);
    let uploads = reqwest::get(uploads).await.unwrap().text().await.unwrap();
    assert!(uploads.contains("ListMultipartUploadsResult"), "{uploads}");
    assert!(!uploads.contains("<Upload>"), "{uploads}");
    assert_eq!(objects.size("contexts/one.tar").await, Ok(None));
}

/// A careen over a store in memory, whose objects are elsewhere.
fn world(store: &Store) -> World {
    let mut world = World::over(std::sync::Arc::new(
        careen::adapters::memory::store::MemoryStore::new("memory"),
    ));
    world.app.objects = std::sync::Arc::new(store.objects());
    world
}

/// A tar archive with one file, large enough to be sent in parts.
fn archive() -> (careen::app::ContextDigest, Vec<u8>) {
    use sha2::{Digest, Sha256};
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(LARGE as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "data", &content(LARGE)[..])
        .unwrap();
    let bytes = tar.into_inner().unwrap();
    let hex: String = Sha256::digest(&bytes)
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    let digest = careen::app::ContextDigest::parse(&format!("sha256:{hex}")).unwrap();
    (digest, bytes)
}

#[tokio::test]
async fn an_upload_that_broke_off_goes_on_and_is_opened_on_another_machine() {
    use careen::app::Upload::{Partial, Whole};
    let (digest, bytes) = archive();
    let (first, rest) = bytes.split_at(5_000_000);
    for kind in KINDS {
        let Some(store) = Store::shared(kind).await else {
            continue;
        };
        let app = world(&store).app;
        assert_eq!(
            app.append(&digest, 0, first).await.unwrap(),
            Partial(5_000_000)
        );
        // What comes twice, or too early, is not written.
        assert_eq!(
            app.append(&digest, 0, first).await.unwrap(),
            Partial(5_000_000)
        );
        app.append(&digest, 5_000_000, rest).await.unwrap();
        let whole = Whole(bytes.len() as u64);
        assert_eq!(app.finish_upload(&digest).await.unwrap(), whole);
        assert_eq!(app.finish_upload(&digest).await.unwrap(), whole);

        let other = world(&store);
        assert_eq!(other.app.upload(&digest).await.unwrap(), whole);
        let opened = other.app.open_context(&digest).await.unwrap();
        assert!(opened.starts_with(Path::new(other.folder())));
        assert!(std::fs::read(opened.join("data")).unwrap() == content(LARGE));
    }
}

#[tokio::test]
async fn a_context_that_breaks_off_is_no_fault_of_the_archive() {
    let (digest, bytes) = archive();
    let Some(store) = Store::shared(Kind::S3).await else {
        return;
    };
    let app = world(&store).app;
    app.append(&digest, 0, &bytes).await.unwrap();
    app.finish_upload(&digest).await.unwrap();
    let proxy = Proxy::before(store.host(), &[Fault::CutAfter(100_000); 60]).await;
    let mut other = world(&store);
    let url = format!("http://{}", proxy.host);
    other.app.objects = std::sync::Arc::new(store.objects_at(&store.address(), &url));
    let broken = other.app.open_context(&digest).await.unwrap_err();
    match &broken {
        careen::app::AppError::Objects(error) => assert!(error.is_passing, "{error}"),
        other => panic!("{other}"),
    }
}

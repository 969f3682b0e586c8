//! Every registry keeps the port's promises: the one in memory, and real ones over HTTP.

use careen::{
    adapters::memory::registry::MemoryRegistry,
    ports::{Blob, Head, Registry, RegistryError, Repository, Right, Upload, sha256, whole},
};
use futures_util::{FutureExt, StreamExt, TryStreamExt};

use crate::registries::{
    Kind, PASSWORD, Server, USER, logged_in, write_blob, write_image, write_index,
};

/// A registry under test, and the repository that a test may use.
struct World {
    registry: Box<dyn Registry>,
    at: Repository,
}

/// Checks a claim on an open registry in memory, an open real one, and one behind TLS and a private authority.
async fn on_every_registry(claim: impl AsyncFn(&World)) {
    let memory = MemoryRegistry::new();
    memory.add_host("memory");
    let at = Repository {
        host: "memory".to_owned(),
        path: "team/app".to_owned(),
        login: None,
    };
    let registry = Box::new(memory);
    claim(&World { registry, at }).await;
    for kind in [Kind::Open, Kind::Tls] {
        let Some(server) = Server::start(kind) else {
            return;
        };
        let registry = Box::new(server.client());
        let at = server.at("team/app");
        claim(&World { registry, at }).await;
    }
}

/// Checks a claim on registries that want a password.
async fn on_every_guarded_registry(claim: impl AsyncFn(&World)) {
    let memory = MemoryRegistry::new();
    let all = [Right::Pull, Right::Push, Right::Delete];
    memory.add_user("memory", (USER, PASSWORD), &all);
    let at = Repository {
        host: "memory".to_owned(),
        path: "team/app".to_owned(),
        login: None,
    };
    let registry = Box::new(memory);
    claim(&World { registry, at }).await;
    let Some(server) = Server::start(Kind::Password) else {
        return;
    };
    let registry = Box::new(server.client());
    let at = server.at("team/app");
    claim(&World { registry, at }).await;
}

#[tokio::test]
async fn a_written_image_is_found_by_tag_and_by_digest_byte_for_byte() {
    on_every_registry(async |world| {
        let (registry, at) = (world.registry.as_ref(), &world.at);
        let written = write_image(registry, (at, "v1"), &[b"layer"])
            .await
            .unwrap();
        for name in ["v1", &written.digest] {
            assert_eq!(registry.manifest(at, name).await.unwrap(), written);
            assert_eq!(
                registry.resolve(at, name, None).await.unwrap(),
                written.digest
            );
        }
        let digest = sha256(b"layer");
        assert!(registry.has_blob(at, &digest).await.unwrap());
        let pieces: Vec<_> = registry
            .blob(at, &digest)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(pieces.concat(), b"layer");
        assert_eq!(registry.tags(at).await.unwrap(), ["v1"]);
    })
    .await;
}

#[tokio::test]
async fn a_manifest_that_has_not_changed_is_known_by_its_entity_tag() {
    on_every_registry(async |world| {
        let (registry, at) = (world.registry.as_ref(), &world.at);
        write_image(registry, (at, "v1"), &[b"one"]).await.unwrap();
        let Head::Found { etag, .. } = registry.head(at, "v1", None).await.unwrap() else {
            panic!("nothing was known before");
        };
        let again = registry.head(at, "v1", etag.as_deref()).await.unwrap();
        assert_eq!(again, Head::Unchanged);
        let moved = write_image(registry, (at, "v1"), &[b"two"]).await.unwrap();
        let found = registry.head(at, "v1", etag.as_deref()).await.unwrap();
        assert!(matches!(found, Head::Found { digest, .. } if digest == moved.digest));
    })
    .await;
}

#[tokio::test]
async fn a_missing_tag_is_told_from_a_missing_repository() {
    on_every_registry(async |world| {
        let (registry, at) = (world.registry.as_ref(), &world.at);
        write_image(registry, (at, "v1"), &[b"one"]).await.unwrap();
        let no_tag = registry.resolve(at, "v2", None).await.unwrap_err();
        assert!(
            matches!(no_tag, RegistryError::NoSuchTag { .. }),
            "{no_tag}"
        );
        let nowhere = Repository {
            path: "team/other".to_owned(),
            ..at.clone()
        };
        let none = registry.manifest(&nowhere, "v1").await.unwrap_err();
        assert!(
            matches!(none, RegistryError::NoSuchRepository { .. }),
            "{none}"
        );
        let digest = sha256(b"never written");
        assert!(!registry.has_blob(at, &digest).await.unwrap());
        let Err(no_blob) = registry.blob(at, &digest).await else {
            panic!("nobody wrote this");
        };
        assert!(
            matches!(no_blob, RegistryError::NoSuchBlob { .. }),
            "{no_blob}"
        );
    })
    .await;
}

#[tokio::test]
async fn an_index_resolves_to_the_manifest_of_a_platform() {
    on_every_registry(async |world| {
        let (registry, at) = (world.registry.as_ref(), &world.at);
        let (index, [_, arm]) = write_index(registry, (at, "v1")).await.unwrap();
        let resolve = |platform| registry.resolve(at, "v1", platform);
        assert_eq!(resolve(None).await.unwrap(), index.digest);
        assert_eq!(resolve(Some("linux/arm64/v8")).await.unwrap(), arm.digest);
        let error = resolve(Some("linux/s390x")).await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("only for linux/amd64, linux/arm64"),
            "{error}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_blob_is_taken_over_where_it_is_and_sent_where_it_is_not() {
    on_every_registry(async |world| {
        let (registry, at) = (world.registry.as_ref(), &world.at);
        let other = Repository {
            path: "team/base".to_owned(),
            ..at.clone()
        };
        let digest = write_blob(registry, &other, b"shared").await.unwrap();
        let mounted = registry
            .begin_blob(at, &digest, Some(&other.path))
            .await
            .unwrap();
        assert_eq!(mounted, Upload::Mounted);
        assert!(registry.has_blob(at, &digest).await.unwrap());
        let blob = Blob {
            digest: sha256(b"own"),
            size_bytes: 3,
        };
        let begun = registry
            .begin_blob(at, &blob.digest, Some(&other.path))
            .await
            .unwrap();
        let Upload::Open(upload) = begun else {
            panic!("there was nothing to mount");
        };
        registry
            .write_blob(at, &upload, &blob, whole(&b"own"[..]))
            .await
            .unwrap();
        assert!(registry.has_blob(at, &blob.digest).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_blob_is_sent_before_its_digest_is_known() {
    on_every_registry(async |world| {
        let (registry, at) = (world.registry.as_ref(), &world.at);
        let bytes = || whole(&b"first, "[..]).chain(whole(&b"last"[..])).boxed();
        let digest = sha256(b"first, last");
        let known = async { Some(digest.clone()) };
        let sent = registry.stream_blob(at, bytes(), known.boxed());
        sent.await.unwrap();
        let read = registry.blob(at, &digest).await.unwrap();
        let read: Vec<_> = read.try_collect().await.unwrap();
        assert_eq!(read.concat(), b"first, last");
        let unknown = async { None };
        let given_up = registry.stream_blob(at, whole(&b"other"[..]), unknown.boxed());
        given_up.await.unwrap();
        assert!(!registry.has_blob(at, &sha256(b"other")).await.unwrap());
        let wrong = async { Some(sha256(b"wrong")) };
        let sent = registry.stream_blob(at, bytes(), wrong.boxed()).await;
        let error = sent.unwrap_err();
        assert!(matches!(error, RegistryError::Corrupt { .. }), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_blob_of_other_bytes_is_refused() {
    on_every_registry(async |world| {
        let (registry, at) = (world.registry.as_ref(), &world.at);
        let blob = Blob {
            digest: sha256(b"right"),
            size_bytes: 5,
        };
        let Upload::Open(upload) = registry.begin_blob(at, &blob.digest, None).await.unwrap()
        else {
            panic!("nothing was to be mounted");
        };
        let written = registry
            .write_blob(at, &upload, &blob, whole(&b"wrong"[..]))
            .await;
        let error = written.unwrap_err();
        assert!(matches!(error, RegistryError::Corrupt { .. }), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_deleted_manifest_is_gone_with_its_tags() {
    on_every_registry(async |world| {
        let (registry, at) = (world.registry.as_ref(), &world.at);
        let written = write_image(registry, (at, "v1"), &[b"one"]).await.unwrap();
        registry.delete_manifest(at, &written.digest).await.unwrap();
        let gone = registry.resolve(at, "v1", None).await.unwrap_err();
        assert!(matches!(
            gone,
            RegistryError::NoSuchTag { .. } | RegistryError::NoSuchRepository { .. }
        ));
        let again = registry
            .delete_manifest(at, &written.digest)
            .await
            .unwrap_err();
        assert!(
            matches!(again, RegistryError::NoSuchTag { .. }),
            "{again:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn no_login_a_wrong_one_and_a_right_one_are_told_apart() {
    on_every_guarded_registry(async |world| {
        let (registry, at) = (world.registry.as_ref(), &world.at);
        let none = registry.ping(at).await.unwrap_err();
        assert!(matches!(none, RegistryError::NoLogin { .. }), "{none:?}");
        let none = write_image(registry, (at, "v1"), &[b"one"])
            .await
            .unwrap_err();
        let wants_push = matches!(
            &none,
            RegistryError::NoLogin {
                right: Right::Push,
                ..
            }
        );
        assert!(wants_push, "{none:?}");
        let wrong = logged_in(at.clone(), USER, "looking glass");
        let refused = registry.ping(&wrong).await.unwrap_err();
        assert!(
            matches!(refused, RegistryError::LoginRefused { .. }),
            "{refused:?}"
        );
        let right = logged_in(at.clone(), USER, PASSWORD);
        registry.ping(&right).await.unwrap();
        let written = write_image(registry, (&right, "v1"), &[b"one"])
            .await
            .unwrap();
        assert_eq!(
            registry.resolve(&right, "v1", None).await.unwrap(),
            written.digest
        );
        let shown = format!("{refused} {} {refused:?} {right:?}", refused.hint());
        assert!(!shown.contains(PASSWORD) && !shown.contains("looking glass"));
    })
    .await;
}

#[tokio::test]
async fn a_host_that_is_not_there_is_unreachable() {
    let nowhere = Repository {
        host: "127.0.0.1:1".to_owned(),
        path: "a".to_owned(),
        login: None,
    };
    let terms = careen::adapters::registry::Terms {
        first_wait: std::time::Duration::from_millis(1),
        ..Default::default()
    };
    let http = careen::adapters::registry::HttpRegistry::new(terms);
    for registry in [&MemoryRegistry::new() as &dyn Registry, &http] {
        let error = registry.ping(&nowhere).await.unwrap_err();
        assert!(
            matches!(error, RegistryError::Unreachable { .. }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_known_vouches_for_is_not_trusted() {
    let Some(server) = Server::start(Kind::Tls) else {
        return;
    };
    let stranger = careen::adapters::registry::HttpRegistry::new(Default::default());
    let error = stranger.ping(&server.at("a")).await.unwrap_err();
    assert!(matches!(error, RegistryError::Tls { .. }), "{error:?}");
    assert!(error.hint().contains("--ca-file"), "{}", error.hint());
    server.client().ping(&server.at("a")).await.unwrap();
}

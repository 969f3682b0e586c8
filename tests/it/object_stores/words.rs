//! What is wrong with an object store is said with the place and what to try, in the same words each time.

use bytes::Bytes;
use careen::{
    adapters::objects::ObjectFolder,
    ports::{ObjectError, Objects},
};

use super::emulators::{KINDS, Kind, Store};
use crate::remote::Served;

/// Where nobody listens.
const NOBODY: &str = "http://127.0.0.1:1";

/// Opens a store with one setting changed.
fn with(store: &Store, name: &str, value: &str) -> ObjectFolder {
    let mut settings = [store.settings(), store.secrets()].concat();
    let setting = settings.iter_mut().find(|(it, _)| it == name);
    setting.expect("there is such a setting").1 = value.to_owned();
    ObjectFolder::at(store.address(), settings)
}

/// What a look at a store says, and what putting something there does.
async fn troubles(objects: &ObjectFolder) -> [ObjectError; 2] {
    let put = objects.put_bytes("contexts/one.tar", Bytes::from_static(b"abc"));
    [
        objects.check().await.expect_err("something bars the way"),
        put.await.expect_err("nothing can be put there"),
    ]
}

#[track_caller]
fn says(error: &ObjectError, words: &[&str]) {
    let text = error.in_full();
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
    assert!(!text.contains('\n') && !text.contains("<Error>"), "{text}");
}

#[tokio::test]
async fn a_missing_bucket_is_told_from_a_missing_object() {
    for kind in KINDS {
        let Some(store) = Store::strict(kind).await else {
            continue;
        };
        let (address, word) = match kind {
            Kind::S3 => ("s3://missing/a", "there is no such bucket"),
            Kind::Azure => ("az://missing/a", "there is no such container"),
        };
        let objects = store.objects_at(address, &store.url);
        for error in troubles(&objects).await {
            says(&error, &[address, word, "404", "CAREEN_OBJECTS"]);
            assert!(!error.is_passing);
        }
        let got = objects.get("contexts/one.tar").await.map(|it| it.is_some());
        says(&got.expect_err("no bucket, no answer"), &[word]);
        says(
            &objects.list("").await.expect_err("nothing to list"),
            &[word],
        );
    }
}

#[tokio::test]
async fn a_key_that_is_refused_is_named_and_not_shown() {
    for kind in KINDS {
        let Some(store) = Store::strict(kind).await else {
            continue;
        };
        let name = match kind {
            Kind::S3 => "AWS_SECRET_ACCESS_KEY",
            Kind::Azure => "AZURE_STORAGE_ACCOUNT_KEY",
        };
        let wrong = "aHVzaC1odXNo";
        let objects = with(&store, name, wrong);
        for error in troubles(&objects).await {
            says(&error, &[&store.bucket, "it refuses (403", name]);
            assert!(!error.in_full().contains(wrong));
            assert!(!error.is_passing);
        }
        let refused = objects.size("contexts/one.tar").await;
        says(&refused.expect_err("refused"), &["it refuses (403", name]);
    }
}

#[tokio::test]
async fn a_store_that_nobody_reaches_is_expected_back() {
    for kind in KINDS {
        let Some(store) = Store::shared(kind).await else {
            continue;
        };
        let objects = store.objects_at(&store.address(), NOBODY);
        let error = objects.check().await.expect_err("nobody listens");
        says(
            &error,
            &[
                &store.bucket,
                "cannot be reached",
                NOBODY,
                "refused",
                "ENDPOINT",
            ],
        );
        assert!(error.is_passing);
        assert_eq!(
            objects.check().await,
            Err(error),
            "the same words each time"
        );
    }
}

#[tokio::test]
async fn a_setting_that_is_no_setting_is_said() {
    let Some(store) = Store::shared(Kind::Azure).await else {
        return;
    };
    let objects = with(&store, "AZURE_STORAGE_ACCOUNT_KEY", "x");
    for error in troubles(&objects).await {
        says(&error, &["Invalid Access Key", "AZURE_ settings"]);
    }
}

#[tokio::test]
async fn an_address_of_another_kind_is_refused_with_the_kinds_there_are() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for address in ["gs://bucket/a", "ftp://host/a", "https://example.com/a"] {
        for error in troubles(&ObjectFolder::at(address, [])).await {
            says(
                &error,
                &[address, "s3://BUCKET/PREFIX", "az://CONTAINER/PREFIX"],
            );
        }
    }
}

#[test]
fn a_client_hears_what_is_wrong_with_the_servers_store() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for kind in KINDS {
        let Some(store) = runtime.block_on(Store::strict(kind)) else {
            continue;
        };
        let mut server = crate::careens::Careen::new();
        for (name, value) in [store.settings(), store.secrets()].concat() {
            server.set(&name, &value);
        }
        let address = store.address().replace(&store.bucket, "missing");
        server.set("CAREEN_OBJECTS", &address);
        let served = Served::new(server, &["--no-worker"]);
        served.client.steps(&crate::cli::sh("one", "true", ""));
        served.client.does(&["run", "."]).exits(3).says(&[
            &address,
            "there is no such",
            "404",
            "help: Make the",
        ]);
    }
}

//! Every store of connections and secrets keeps the ports' promises.

use careen::{
    adapters::{memory::credentials::MemoryCredentials, sqlite::SqliteStore},
    ports::{Connection, ConnectionStore, PasswordSource, Sealed, SecretStore, StoredSecret},
};
use chrono::{DateTime, TimeDelta};

use crate::every_store::on_postgres;

trait Store: ConnectionStore + SecretStore {}
impl<T: ConnectionStore + SecretStore> Store for T {}

/// Checks a claim on each store.
async fn on_every_store(claim: impl AsyncFn(&dyn Store)) {
    claim(&MemoryCredentials::new()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen.db");
    claim(&SqliteStore::open(&path).await.unwrap()).await;
    on_postgres(async |store| claim(&store).await).await;
}

fn sealed(byte: u8) -> Sealed {
    Sealed {
        key_id: "key".to_owned(),
        bytes: vec![byte, 0, 255],
    }
}

fn connection(name: &str) -> Connection {
    Connection {
        id: format!("id of {name}"),
        name: name.to_owned(),
        server: "r.io:5000".to_owned(),
        prefix: "team".to_owned(),
        username: "ü'; --".to_owned(),
        password: PasswordSource::Sealed(sealed(1)),
        pull_only: true,
        authority: Some("PEM".to_owned()),
        plain_http: true,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH + TimeDelta::microseconds(1_234_567),
    }
}

#[tokio::test]
async fn a_connection_comes_back_as_it_went_in() {
    on_every_store(async |store| {
        let plain = Connection {
            password: PasswordSource::DockerConfig,
            prefix: String::new(),
            pull_only: false,
            authority: None,
            plain_http: false,
            ..connection("a plain one")
        };
        assert!(store.add_connection(&connection("b")).await.unwrap());
        assert!(store.add_connection(&plain).await.unwrap());
        let all = store.connections().await.unwrap();
        assert_eq!(all, [plain, connection("b")]);
    })
    .await;
}

#[tokio::test]
async fn a_name_is_used_once() {
    on_every_store(async |store| {
        assert!(store.add_connection(&connection("a")).await.unwrap());
        let other = Connection {
            id: "other".to_owned(),
            ..connection("a")
        };
        assert!(!store.add_connection(&other).await.unwrap());
        assert!(store.remove_connection("a").await.unwrap());
        assert!(!store.remove_connection("a").await.unwrap());
        assert!(store.add_connection(&other).await.unwrap());
        assert_eq!(store.connections().await.unwrap(), [other]);
    })
    .await;
}

#[tokio::test]
async fn an_update_replaces_what_is_there_and_nothing_else() {
    on_every_store(async |store| {
        store.add_connection(&connection("a")).await.unwrap();
        store.add_connection(&connection("b")).await.unwrap();
        let changed = Connection {
            password: PasswordSource::DockerConfig,
            username: "new".to_owned(),
            ..connection("a")
        };
        assert!(store.update_connection(&changed).await.unwrap());
        assert!(!store.update_connection(&connection("gone")).await.unwrap());
        let all = store.connections().await.unwrap();
        assert_eq!(all, [changed, connection("b")]);
    })
    .await;
}

#[tokio::test]
async fn a_secret_is_set_anew_and_removed() {
    on_every_store(async |store| {
        let secret = |name: &str, byte| StoredSecret {
            name: name.to_owned(),
            sealed: sealed(byte),
            updated_at: DateTime::UNIX_EPOCH,
        };
        for (name, byte) in [("b", 1), ("a", 2), ("b", 3)] {
            store.set_secret(&secret(name, byte)).await.unwrap();
        }
        let all = store.stored_secrets().await.unwrap();
        assert_eq!(all, [secret("a", 2), secret("b", 3)]);
        assert!(store.remove_secret("a").await.unwrap());
        assert!(!store.remove_secret("a").await.unwrap());
        assert_eq!(store.stored_secrets().await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_seal_is_replaced_only_where_it_still_is() {
    on_every_store(async |store| {
        let secret = StoredSecret {
            name: "s".to_owned(),
            sealed: sealed(1),
            updated_at: DateTime::UNIX_EPOCH,
        };
        store.set_secret(&secret).await.unwrap();
        store.add_connection(&connection("c")).await.unwrap();
        let id = &connection("c").id;
        let (one, two, three) = (sealed(1), sealed(2), sealed(3));
        for (from, to, done) in [(&one, &two, true), (&one, &three, false)] {
            let resealed = store.reseal_secret("s", from, to).await;
            assert_eq!(resealed, Ok(done));
            let resealed = store.reseal_connection(id, from, to).await;
            assert_eq!(resealed, Ok(done));
        }
        assert_eq!(store.reseal_secret("t", &one, &two).await, Ok(false));
        assert_eq!(store.stored_secrets().await.unwrap()[0].sealed, two);
        let kept = store.connections().await.unwrap().remove(0);
        let expected = Connection {
            password: PasswordSource::Sealed(two),
            ..connection("c")
        };
        assert_eq!(kept, expected, "all else stays");
    })
    .await;
}

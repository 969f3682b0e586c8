//! Every store of tokens, audit entries and answers keeps the port's promises.

use careen::{
    adapters::{memory::store::MemoryAccess, sqlite::SqliteStore},
    ports::{AccessStore, Answer, AuditEntry, CredentialScopes, Known, Role, TokenRow},
};
use chrono::{DateTime, Utc};

use crate::every_store::on_postgres;

/// Checks a claim on each store.
async fn on_every_store(claim: impl AsyncFn(&dyn AccessStore)) {
    claim(&MemoryAccess::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen.db");
    claim(&SqliteStore::open(&path).await.unwrap()).await;
    on_postgres(async |store| claim(&store).await).await;
}

fn time(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
}

fn token(id: &str) -> TokenRow {
    TokenRow {
        id: id.to_owned(),
        name: "ci".to_owned(),
        role: Role::Runner,
        credentials: Some(CredentialScopes::parse(&["pull:r.io/team".to_owned()]).unwrap()),
        created_at: time(0),
        expires_at: Some(time(100)),
        last_used_at: None,
        revoked_at: None,
    }
}

#[tokio::test]
async fn a_token_is_found_by_its_hash_and_stays_known_when_revoked() {
    on_every_store(async |store| {
        store.add_token(&token("t1"), "aa").await.unwrap();
        assert_eq!(store.token("aa").await.unwrap(), Some(token("t1")));
        assert_eq!(store.token("bb").await.unwrap(), None);
        store.touch_token("t1", time(5)).await.unwrap();
        assert!(store.revoke_token("t1", time(7)).await.unwrap());
        assert!(store.revoke_token("t1", time(9)).await.unwrap());
        assert!(!store.revoke_token("t2", time(9)).await.unwrap());
        let known = store.tokens().await.unwrap().remove(0);
        assert_eq!(known.last_used_at, Some(time(5)));
        assert_eq!(known.revoked_at, Some(time(7)));
        assert!(!known.is_good(time(8)));
    })
    .await;
}

#[tokio::test]
async fn the_audit_log_is_read_backwards_in_pages() {
    on_every_store(async |store| {
        for status in [200, 403, 404] {
            let entry = AuditEntry {
                number: 0,
                at: time(0),
                who: "ann".to_owned(),
                action: "POST /api/v1/runs".to_owned(),
                status,
                address: "127.0.0.1".to_owned(),
            };
            store.audit(&entry).await.unwrap();
        }
        let statuses = |entries: &[AuditEntry]| -> Vec<u16> {
            entries.iter().map(|entry| entry.status).collect()
        };
        let first = store.audited(0, 2).await.unwrap();
        assert_eq!(statuses(&first), [404, 403]);
        let rest = store.audited(first[1].number, 2).await.unwrap();
        assert_eq!(statuses(&rest), [200]);
    })
    .await;
}

#[tokio::test]
async fn a_request_is_begun_once_and_its_answer_kept() {
    on_every_store(async |store| {
        let begin = async |print: &str| store.begin_request("k", print, time(1)).await.unwrap();
        assert_eq!(begin("a").await, Known::New);
        assert_eq!(begin("a").await, Known::UnderWay);
        assert_eq!(begin("b").await, Known::Another);
        store.end_request("k", None).await.unwrap();
        assert_eq!(begin("b").await, Known::New);
        let answer = Answer {
            status: 201,
            body: "{}".to_owned(),
        };
        store.end_request("k", Some(&answer)).await.unwrap();
        assert_eq!(begin("b").await, Known::Answered(answer));
        store.forget_requests(time(1)).await.unwrap();
        assert_ne!(begin("b").await, Known::New);
        store.forget_requests(time(2)).await.unwrap();
        assert_eq!(begin("b").await, Known::New);
    })
    .await;
}

//! A database opens whatever its age, and one that is too new is refused.

use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};

use careen::{
    adapters::sqlite::SqliteStore,
    ports::{Batch, NewRun, RecordedEvent, RunStore, StoreError},
};
use serde_json::json;
use sqlx::{Connection, Row, SqliteConnection, migrate::Migrator, sqlite::SqliteConnectOptions};

use crate::every_store::{connect as connect_to, on_postgres_at};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// One row of each table, written after the first migration.
const ROWS: &str = "
    INSERT INTO runs (id, name, cause, status, created_at)
        VALUES ('old', 'acb.yaml', 'by hand', 'running', '2026-01-02T03:04:05Z');
    INSERT INTO documents (run, request) VALUES ('old', '{\"a\":1}');
    INSERT INTO secrets VALUES ('old', 's', 'k', x'00');
    INSERT INTO events VALUES ('old', 1, 1, '2026-01-02T03:04:05Z', 'queued', '{}');
    INSERT INTO steps VALUES ('old', 1, 0, 's0', 'cmd', 'running', 0, 1, NULL, NULL, NULL, NULL, '[]');
    INSERT INTO attempts VALUES ('old', 1, 0, 1, NULL, NULL, NULL, '2026-01-02T03:04:05Z', NULL);";

async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

fn new_run(id: String) -> NewRun {
    NewRun {
        id,
        name: String::new(),
        cause: String::new(),
        trigger: None,
        request: json!(null),
        secrets: Vec::new(),
        rerun_of: None,
        created_at: chrono::DateTime::UNIX_EPOCH,
    }
}

#[tokio::test]
async fn a_new_database_is_private_and_keeps_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/careen.db");
    let first = SqliteStore::open(&path).await.unwrap();
    let second = SqliteStore::open(&path).await.unwrap();
    assert_eq!(first.store_id(), second.store_id());
    assert_eq!(first.store_id().len(), 10);
    for (path, mode) in [(path.as_path(), 0o600), (path.parent().unwrap(), 0o700)] {
        let found = path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{}", path.display());
    }
}

#[tokio::test]
async fn two_databases_have_different_ids() {
    let folder = tempfile::tempdir().unwrap();
    let one = SqliteStore::open(&folder.path().join("1.db"))
        .await
        .unwrap();
    let two = SqliteStore::open(&folder.path().join("2.db"))
        .await
        .unwrap();
    assert_ne!(one.store_id(), two.store_id());
}

#[tokio::test]
async fn every_migration_applies_to_a_database_with_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen.db");
    let mut connection = connect(&path).await;
    let first = MIGRATIONS.iter().next().unwrap().version;
    MIGRATIONS.run_to(first, &mut connection).await.unwrap();
    sqlx::raw_sql(ROWS).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.run("old").await.unwrap().request, json!({"a": 1}));
    assert_eq!(store.events("old", 1).await.unwrap().len(), 1);
    assert_eq!(store.steps("old").await.unwrap().len(), 1);
    assert_eq!(store.attempts("old").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_database_of_a_newer_careen_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen.db");
    drop(SqliteStore::open(&path).await.unwrap());
    sqlx::query("INSERT INTO _sqlx_migrations VALUES (99990101000000, 'later', '', true, x'', 0)")
        .execute(&mut connect(&path).await)
        .await
        .unwrap();
    let error = SqliteStore::open(&path).await.unwrap_err();
    assert_eq!(error, StoreError::TooNew(path.display().to_string()));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_an_error_and_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let notes = "dear diary ".repeat(1_000);
    std::fs::write(&path, &notes).unwrap();
    let error = SqliteStore::open(&path).await.unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), notes);
}

#[tokio::test]
async fn all_tables_are_strict_and_runs_are_named_by_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen.db");
    drop(SqliteStore::open(&path).await.unwrap());
    let loose = sqlx::query(
        "SELECT t.name, c.name, c.type FROM pragma_table_list t JOIN pragma_table_info(t.name) c
         WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite%' AND t.name <> '_sqlx_migrations'
           AND (NOT t.strict OR c.name IN ('id', 'run') AND c.type <> 'TEXT')",
    )
    .fetch_all(&mut connect(&path).await)
    .await
    .unwrap();
    let names: Vec<String> = loose.iter().map(|row| row.get(0)).collect();
    assert_eq!(names, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_open_a_new_database_at_once_and_write_it_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen.db");
    let writers = (0..8).map(|writer| {
        let path = path.clone();
        tokio::spawn(async move { open_and_write(&path, format!("r{writer}")).await })
    });
    let mut ids = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        ids.push(writer.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "all opened the same store");
    let store = SqliteStore::open(&path).await.unwrap();
    for writer in 0..8 {
        let events = store.events(&format!("r{writer}"), 1).await.unwrap();
        assert_eq!(events.len(), 20);
    }
}

async fn open_and_write(path: &Path, run: String) -> String {
    let store = SqliteStore::open(path).await.unwrap();
    store.create_run(&new_run(run.clone())).await.unwrap();
    let minute = Duration::from_secs(60);
    let lease = store.lease_run(&run, &run, minute, false).await.unwrap();
    for seq in 1..=20 {
        let event = RecordedEvent {
            seq,
            at: chrono::DateTime::UNIX_EPOCH,
            kind: "tick".to_owned(),
            body: json!(seq),
        };
        let batch = Batch {
            events: vec![event],
            ..Batch::default()
        };
        store.record(&lease, &batch).await.unwrap();
        assert_eq!(store.events(&run, 1).await.unwrap().len() as u64, seq);
    }
    store.store_id().to_owned()
}

#[tokio::test]
async fn many_that_start_at_once_make_one_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen.db");
    let mut starting = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let path = path.clone();
        starting.spawn(async move {
            SqliteStore::open(&path)
                .await
                .unwrap()
                .store_id()
                .to_owned()
        });
    }
    let ids = starting.join_all().await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    on_postgres_at(async |address| {
        let mut starting = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let address = address.clone();
            starting.spawn(async move { connect_to(&address).await.store_id().to_owned() });
        }
        let ids = starting.join_all().await;
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    })
    .await;
}

//! A database opens whatever its age, and one that is too new is refused.

use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};

use careen::{
    adapters::{
        postgres::{self, PostgresStore},
        sqlite::{self, SqliteStore},
    },
    ports::{
        Batch, Claim, FleetStore, NewRun, RecordedEvent, RunFilter, RunStore, StoreError,
        WorkerFacts,
    },
    tasks::homes,
};
use serde_json::json;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection, sqlite::SqliteConnectOptions,
};

use crate::every_store::{Store, ample, connect as connect_to, on_postgres_at};

/// The last migration before runs were found by branch and image, and before the fleet learned from its past.
const BEFORE_FINDING: i64 = 20261121300000;

/// Runs of a stored task as they were written then: of a branch that was asked for, and of one that was found out.
const OLD_RUNS: &str = r#"
    INSERT INTO tasks (name, version, definition, created_at, updated_at, updated_by)
        VALUES ('web', 1, '{}', '2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z', 'someone');
    INSERT INTO runs (id, name, cause, status, created_at, ended_at) VALUES
        ('a', 'web', 'by hand', 'succeeded', '2026-01-02T03:04:05Z', '2026-01-02T03:05:05Z'),
        ('b', 'web', 'by hand', 'succeeded', '2026-01-02T03:06:05Z', '2026-01-02T03:07:05Z'),
        ('c', 'web', 'by hand', 'failed', '2026-01-02T03:08:05Z', '2026-01-02T03:09:05Z'),
        ('d', 'once', 'by hand', 'succeeded', '2026-01-02T03:10:05Z', '2026-01-02T03:11:05Z');
    INSERT INTO documents (run, request, prepared) VALUES
        ('a', '{"vars":{"branch":"main"}}', '{"branch":""}'),
        ('b', '{"vars":{"branch":"main"}}', '{"branch":"say \"hi\""}'),
        ('c', '{"vars":{"branch":""}}', 'null'),
        ('d', '{"text":"\u0000"}', '{"branch":"main"}');
    INSERT INTO steps (run, generation, step, id, kind, status, ignored, attempts, images) VALUES
        ('a', 1, 0, 's', 'push', 'succeeded', FALSE, 1, '[{"image":"r.io/Web:1","digest":"sha256:4fa0"}]'),
        ('b', 1, 0, 's', 'cmd', 'succeeded', FALSE, 1, '[]');"#;

/// What a careen of today finds in a database of then.
async fn what_was_recorded_is_found(store: &(impl RunStore + FleetStore)) {
    let found = async |branch: Option<&str>, image: Option<&str>| {
        let filter = RunFilter {
            branch: branch.map(str::to_owned),
            image: image.map(str::to_owned),
            ..RunFilter::default()
        };
        let runs = store.runs(&filter).await.unwrap();
        runs.into_iter().map(|it| it.id).collect::<String>()
    };
    assert_eq!(found(Some("main"), None).await, "da");
    assert_eq!(found(Some("say \"hi\""), None).await, "b");
    assert_eq!(found(None, Some("R.IO/web")).await, "a");
    assert_eq!(found(None, Some("4FA0")).await, "a");
    // The fleet learns from the last good run of each stored task.
    assert_eq!(store.unlearned_ends(9).await.unwrap(), ["b"]);
}

#[tokio::test]
async fn runs_of_before_are_found_by_branch_and_image_and_the_fleet_learns_from_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen.db");
    let mut connection = connect(&path).await;
    let run = sqlite::MIGRATIONS.run_to(BEFORE_FINDING, &mut connection);
    run.await.unwrap();
    let rows = sqlx::raw_sql(OLD_RUNS).execute(&mut connection);
    rows.await.unwrap();
    connection.close().await.unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    what_was_recorded_is_found(&store).await;
    on_postgres_at(async |address| {
        let mut connection = PgConnection::connect(&address).await.unwrap();
        let run = postgres::MIGRATIONS.run_to(BEFORE_FINDING, &mut connection);
        run.await.unwrap();
        let rows = sqlx::raw_sql(OLD_RUNS).execute(&mut connection);
        rows.await.unwrap();
        connection.close().await.unwrap();
        what_was_recorded_is_found(&connect_to(&address).await).await;
    })
    .await;
}

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
    let first = sqlite::MIGRATIONS.iter().next().unwrap().version;
    sqlite::MIGRATIONS
        .run_to(first, &mut connection)
        .await
        .unwrap();
    sqlx::raw_sql(ROWS).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.run("old").await.unwrap().request, json!({"a": 1}));
    assert_eq!(store.events("old", 1).await.unwrap().len(), 1);
    assert_eq!(store.steps("old").await.unwrap().len(), 1);
    assert_eq!(store.attempts("old").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_database_of_a_newer_careen_is_refused_by_name_only_if_that_breaks_older_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen.db");
    let first = SqliteStore::open(&path).await.unwrap();
    let applied = |number: u64, description: &str| {
        format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES ({number}, '{description}', true, '', 0)"
        )
    };
    let (later, breaking) = (
        applied(99990101000000, "later"),
        applied(99990102000000, "breaks what was"),
    );
    let apply = async |statement: &str| {
        let statement = AssertSqlSafe(statement.replace("true, ''", "true, x''"));
        let applied = sqlx::query(statement)
            .execute(&mut connect(&path).await)
            .await;
        applied.unwrap();
    };
    apply(&later).await;
    let second = SqliteStore::open(&path).await.unwrap();
    assert_eq!(second.store_id(), first.store_id());
    apply(&breaking).await;
    let error = SqliteStore::open(&path).await.unwrap_err();
    assert_eq!(error, StoreError::TooNew(path.display().to_string()));
    on_postgres_at(async |address| {
        let first = connect_to(&address).await;
        let mut connection = PgConnection::connect(&address).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(later.clone()))
            .execute(&mut connection)
            .await
            .unwrap();
        assert_eq!(connect_to(&address).await.store_id(), first.store_id());
        sqlx::raw_sql(AssertSqlSafe(breaking.clone()))
            .execute(&mut connection)
            .await
            .unwrap();
        let refused = PostgresStore::connect(&address.into()).await.err();
        assert!(
            matches!(refused, Some(StoreError::TooNew(_))),
            "{refused:?}"
        );
    })
    .await;
}

/// What a careen from before `20261121500000_homes` writes when it queues a run, and when its worker says it is here.
const OLDER: &str = "
    INSERT INTO runs (id, name, cause, status, rerun_of, created_at, pool, priority, task,
            concurrency_group, group_policy, on_worker_loss, needs, queue_state)
        VALUES ('old', 'acb.yaml', 'by hand', 'queued', NULL, '2026-01-02T03:04:05Z', 'default', 0, 'web',
            NULL, NULL, 'retry', '{}', 'ready');
    INSERT INTO documents (run, request) VALUES ('old', '{}');
    INSERT INTO workers (name, pool, facts, state, seen_at)
        VALUES ('older', 'default', '{}', 'active', 99999999999999);";

/// A worker of this version beside an older one takes what that one queued.
async fn takes_what_an_older_one_queued(store: &dyn Store) {
    let facts = WorkerFacts {
        name: "newer".to_owned(),
        pool: "default".to_owned(),
        capacity: ample(),
        parallel_runs: 1,
        engine: "e".to_owned(),
        engine_version: String::new(),
        version: String::new(),
        problem: None,
    };
    let mut heard = store.worker_is_here(&facts).await.unwrap().workers;
    heard.sort_unstable();
    assert_eq!(heard, ["newer", "older"]);
    let claim = Claim {
        worker: "newer".to_owned(),
        engine: "e".to_owned(),
        pool: "default".to_owned(),
        time: Duration::from_secs(60),
        left: ample(),
        homes: homes("newer", &heard),
    };
    let claimed = store.claim(&claim).await.unwrap();
    assert_eq!(claimed.map(|it| it.lease.run).as_deref(), Some("old"));
}

#[tokio::test]
async fn an_older_careen_still_writes_to_a_database_that_a_newer_one_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let mut connection = connect(&path).await;
    sqlx::raw_sql(OLDER).execute(&mut connection).await.unwrap();
    takes_what_an_older_one_queued(&store).await;
    on_postgres_at(async |address| {
        let store = connect_to(&address).await;
        let mut connection = PgConnection::connect(&address).await.unwrap();
        sqlx::raw_sql(OLDER).execute(&mut connection).await.unwrap();
        takes_what_an_older_one_queued(&store).await;
    })
    .await;
}

/// The first migration that older versions may meet: those before it were never released apart.
const SAFE_SINCE: i64 = 20261121500000;

#[test]
fn migrations_take_nothing_away_that_an_older_careen_reads_or_writes() {
    let all = sqlite::MIGRATIONS.iter().chain(postgres::MIGRATIONS.iter());
    let is_said = |description: &str| description.starts_with("breaks ");
    let since = all.filter(|it| it.version >= SAFE_SINCE && !is_said(&it.description));
    for migration in since {
        let without_remarks = migration.sql.as_str().lines();
        let without_remarks =
            without_remarks.map(|line| line.split("--").next().unwrap_or_default());
        let text = without_remarks.collect::<Vec<_>>().join(" ").to_uppercase();
        for statement in text.split(';') {
            // How texts are compared concerns nobody who reads and writes them.
            let statement = statement.replace("ALTER COLUMN RUN TYPE TEXT COLLATE", "");
            let statement = statement.replace("ALTER COLUMN CAUSED_RUN TYPE TEXT COLLATE", "");
            let breaks = [
                "DROP TABLE",
                "DROP COLUMN",
                "RENAME",
                "ALTER COLUMN",
                "SET NOT NULL",
            ]
            .iter()
            .any(|words| statement.contains(words));
            let demands = statement.contains("ADD COLUMN")
                && statement.contains("NOT NULL")
                && !statement.contains("DEFAULT");
            assert!(!breaks && !demands, "{}: {statement}", migration.version);
        }
    }
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

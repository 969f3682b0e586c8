//! How many runs a second go from queued to leased to done, on SQLite and on Postgres, and what 100,000 finished runs,
//! or a million, do to it.
//!
//! `cargo bench --bench queue [-- sqlite|postgres] [FINISHED…]`. Postgres is the one of `./dev setup postgres`, or of
//! CAREEN_TEST_POSTGRES_URL. The goals are 400 and 1,500 a second, and pages of lists under 50 ms.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use careen::{
    adapters::{postgres::PostgresStore, sqlite::SqliteStore},
    engine::{Event, RunStatus},
    ports::{Batch, Capacity, Claim, NewRun, Placement, Queue, RecordedEvent, RunFilter, RunStore},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::Mutex;

/// Runs in one measurement.
const RUNS: usize = 2_000;
/// Workers that claim side by side.
const WORKERS: usize = 8;
const USUAL_POSTGRES: &str = "postgres://postgres@127.0.0.1:5433/postgres";

trait Store: RunStore + Queue {}
impl<T: RunStore + Queue> Store for T {}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut finished: Vec<usize> = words.iter().filter_map(|it| it.parse().ok()).collect();
    if finished.is_empty() {
        finished.push(100_000);
    }
    let is_wanted = |name: &str| {
        !words.iter().any(|it| it == "sqlite" || it == "postgres")
            || words.iter().any(|it| it == name)
    };
    if is_wanted("sqlite") {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("careen.db");
        let store = SqliteStore::open(&path).await.expect("a database");
        measure(
            "SQLite",
            Arc::new(store),
            &finished,
            async |store, from, to| {
                let next = Arc::new(AtomicUsize::new(from));
                side_by_side(store, &next, to, |store, number| async move {
                    whole(&*store, number).await;
                })
                .await;
            },
        )
        .await;
    }
    if is_wanted("postgres") {
        postgres(&finished).await;
    }
}

async fn postgres(finished: &[usize]) {
    let server = std::env::var("CAREEN_TEST_POSTGRES_URL");
    let server = server.unwrap_or_else(|_| USUAL_POSTGRES.to_owned());
    let Ok(mut connection) = PgConnection::connect(&server).await else {
        return println!("Postgres: none at {server}; ./dev setup postgres starts one");
    };
    let schema = format!("bench_{}", uuid::Uuid::new_v4().simple());
    let make = AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    sqlx::raw_sql(make)
        .execute(&mut connection)
        .await
        .expect("a schema");
    let address = format!("{server}?options=-c%20search_path%3D{schema}").into();
    let store = PostgresStore::connect(&address).await.expect("a database");
    let inside = AssertSqlSafe(format!("SET search_path TO {schema}"));
    let set = sqlx::raw_sql(inside).execute(&mut connection).await;
    set.expect("a schema");
    let connection = Mutex::new(connection);
    measure(
        "Postgres",
        Arc::new(store),
        finished,
        async |_, from, to| {
            fill(&mut *connection.lock().await, from, to).await;
        },
    )
    .await;
    let mut connection = connection.into_inner();
    let drop = AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"));
    sqlx::raw_sql(drop)
        .execute(&mut connection)
        .await
        .expect("it goes");
}

/// Writes finished runs as those measured leave them, a million in a minute or two, and waits for what Postgres does by
/// itself within a minute.
async fn fill(connection: &mut PgConnection, from: usize, to: usize) {
    let run = "id, name, cause, status, created_at, ended_at, pool, on_worker_loss, last_event, lease_owner, lease_engine";
    let text = format!(
        r#"INSERT INTO runs ({run}, lease_token)
            SELECT 'r' || n, 'task-' || n % 50, 'a bench', 'succeeded', '2026-01-02T03:04:05.123456789Z',
                '2026-01-02T03:04:06.123456789Z', 'default', 'retry', 1, 'w1', 'e', 1
            FROM generate_series({from}, {to} - 1) AS n;
        INSERT INTO documents (run, request) SELECT 'r' || n, '{{"text":"steps: []"}}'
            FROM generate_series({from}, {to} - 1) AS n;
        INSERT INTO events (run, generation, seq, at, kind, body)
            SELECT 'r' || n, 1, 1, '2026-01-02T03:04:06.123456789Z', 'tidied', '{{"kind":"tidied"}}'
            FROM generate_series({from}, {to} - 1) AS n;"#
    );
    let filled = sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *connection);
    filled.await.expect("rows");
    for table in ["runs", "documents", "events"] {
        let vacuum = AssertSqlSafe(format!("VACUUM ANALYZE {table}"));
        let vacuumed = sqlx::raw_sql(vacuum).execute(&mut *connection).await;
        vacuumed.expect("a table");
    }
}

async fn measure(
    name: &str,
    store: Arc<dyn Store>,
    finished: &[usize],
    finish: impl AsyncFn(&Arc<dyn Store>, usize, usize),
) {
    println!("{name}, {WORKERS} workers");
    print_rate("empty", &store, 0).await;
    let mut next = RUNS;
    for &finished in finished {
        let begun = Instant::now();
        let until = finished.max(next);
        finish(&store, next, until).await;
        println!(
            "  ({} more in {:.0} s)",
            until - next,
            begun.elapsed().as_secs_f64()
        );
        print_rate(&format!("with {until} finished"), &store, until).await;
        print_pages(&*store).await;
        next = until + RUNS;
    }
}

/// Queues many runs, then lets workers take and end them; each part and the whole as a rate.
async fn print_rate(what: &str, store: &Arc<dyn Store>, first: usize) {
    let next = Arc::new(AtomicUsize::new(first));
    let begun = Instant::now();
    side_by_side(store, &next, first + RUNS, |store, number| async move {
        enqueue(&*store, number).await;
    })
    .await;
    let queued = begun.elapsed();
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..WORKERS {
        let store = store.clone();
        workers.spawn(async move { drain(&*store, worker).await });
    }
    let mut claims: Vec<Duration> = workers.join_all().await.into_iter().flatten().collect();
    let all = begun.elapsed();
    claims.sort();
    let rate = |time: Duration| RUNS as f64 / time.as_secs_f64();
    println!(
        "  {what}: {:.0} queued, leased and done a second ({:.0} queued, {:.0} leased and done); a claim p50 {:.1} ms, p99 {:.1} ms",
        rate(all),
        rate(queued),
        rate(all - queued),
        milliseconds(claims[claims.len() / 2]),
        milliseconds(claims[claims.len() * 99 / 100]),
    );
}

async fn side_by_side<F: Future<Output = ()> + Send + 'static>(
    store: &Arc<dyn Store>,
    next: &Arc<AtomicUsize>,
    end: usize,
    work: impl Fn(Arc<dyn Store>, usize) -> F + Copy + Send + 'static,
) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..WORKERS {
        let (store, next) = (store.clone(), next.clone());
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= end {
                    return;
                }
                work(store.clone(), number).await;
            }
        });
    }
    tasks.join_all().await;
}

async fn whole(store: &dyn Store, number: usize) {
    enqueue(store, number).await;
    claim_and_end(store, 0).await;
}

async fn enqueue(store: &dyn Store, number: usize) {
    let run = NewRun {
        id: format!("r{number}"),
        name: format!("task-{}", number % 50),
        cause: "a bench".to_owned(),
        trigger: None,
        request: serde_json::json!({"text": "steps: []"}),
        secrets: Vec::new(),
        rerun_of: None,
        created_at: chrono::Utc::now(),
    };
    let queued = store.enqueue(&run, &Placement::default()).await;
    queued.expect("queued");
}

async fn drain(store: &dyn Store, worker: usize) -> Vec<Duration> {
    let mut claims = Vec::new();
    while let Some(time) = claim_and_end(store, worker).await {
        claims.push(time);
    }
    claims
}

/// Claims a run and ends it with one event, as a run without steps does; returns how long the claim took.
async fn claim_and_end(store: &dyn Store, worker: usize) -> Option<Duration> {
    let begun = Instant::now();
    let claim = Claim {
        worker: format!("w{worker}"),
        engine: "e".to_owned(),
        pool: "default".to_owned(),
        time: Duration::from_secs(60),
        left: Capacity::default(),
        homes: Vec::new(),
    };
    let claimed = store.claim(&claim).await.expect("an answer")?;
    let time = begun.elapsed();
    let (lease, mut run) = (claimed.lease, claimed.run);
    run.status = RunStatus::Succeeded;
    run.ended_at = Some(chrono::Utc::now());
    let event = RecordedEvent {
        seq: 1,
        at: chrono::Utc::now(),
        kind: Event::Tidied.kind().to_owned(),
        body: serde_json::json!({"kind": "tidied"}),
    };
    let batch = Batch {
        events: vec![event],
        run: Some(run),
        ..Batch::default()
    };
    store.record(&lease, &batch).await.expect("recorded");
    Some(time)
}

async fn print_pages(store: &dyn Store) {
    let page = |filter: RunFilter| RunFilter {
        limit: 50,
        ..filter
    };
    let filters = [
        ("the first page", RunFilter::default()),
        (
            "of one name",
            RunFilter {
                name: Some("task-7".to_owned()),
                ..RunFilter::default()
            },
        ),
        (
            "of a rare status",
            RunFilter {
                status: Some(RunStatus::Errored),
                ..RunFilter::default()
            },
        ),
        (
            "far back",
            RunFilter {
                before: Some("r500".to_owned()),
                ..RunFilter::default()
            },
        ),
    ];
    for (name, filter) in filters {
        let filter = page(filter);
        let mut times = Vec::new();
        for _ in 0..100 {
            let begun = Instant::now();
            store.runs(&filter).await.expect("a page");
            times.push(begun.elapsed());
        }
        times.sort();
        println!(
            "  list, {name}: p50 {:.1} ms, p99 {:.1} ms",
            milliseconds(times[50]),
            milliseconds(times[99])
        );
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

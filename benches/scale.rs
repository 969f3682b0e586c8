//! How many runs a second, and how soon after it is queued a run starts, with 1 to 32 workers over one Postgres; with
//! the statements that each run costs, from the one that queues it to those of idle workers meanwhile.
//!
//! `cargo bench --bench scale [-- RUNS] [--each]`; `--each` lists the statements by how they begin. The Postgres is the one
//! of `./dev setup postgres`, or of CAREEN_TEST_POSTGRES_URL. Engines are in memory: what is measured is careen and the
//! database. The goal is at most 12 statements for a run of one step and 4 for each further step, BEGIN and COMMIT aside.

#[allow(dead_code)]
#[path = "../tests/it/world.rs"]
mod world;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use careen::{
    adapters::{
        memory::containers::MemoryEngine,
        objects::ObjectFolder,
        postgres::{PostgresFrames, PostgresStore},
    },
    app::{App, Secrets, Worker, WorkerTerms},
    ports::{Placement, RunRow},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Event, Subscriber, field::Visit};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

const USUAL_POSTGRES: &str = "postgres://postgres@127.0.0.1:5433/postgres";
/// Workers of one process share its connections; more than so many processes the database would turn away.
const PROCESSES: usize = 4;
/// Runs that are queued one by one, to see how soon each starts.
const SINGLE: usize = 40;

/// Statements that any part of this process has sent, by how they begin.
static KINDS: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

tokio::task_local! {
    /// The looks of the bench itself, which do not count.
    static OWN: ();
}

#[tokio::main]
async fn main() {
    tracing_subscriber::registry().with(Counter).init();
    let runs = std::env::args()
        .find_map(|word| word.parse().ok())
        .unwrap_or(400);
    let server = std::env::var("CAREEN_TEST_POSTGRES_URL");
    let server = server.unwrap_or_else(|_| USUAL_POSTGRES.to_owned());
    let Ok(mut connection) = PgConnection::connect(&server).await else {
        return println!("no Postgres at {server}; ./dev setup postgres starts one");
    };
    println!("workers  steps   runs/s   start p50   start p99   statements/run");
    for steps in [1, 4] {
        for workers in [1, 2, 4, 8, 32] {
            let schema = format!("bench_{}", uuid::Uuid::new_v4().simple());
            let make = AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
            sqlx::raw_sql(make)
                .execute(&mut connection)
                .await
                .expect("a schema");
            let address = format!("{server}?options=-c%20search_path%3D{schema}");
            measure(&address, workers, (steps, runs)).await;
            let drop = AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"));
            sqlx::raw_sql(drop)
                .execute(&mut connection)
                .await
                .expect("it goes");
        }
    }
}

async fn measure(address: &str, workers: usize, (steps, runs): (usize, usize)) {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = process(folder.path(), address).await;
    let mut processes = Vec::new();
    for _ in 0..workers.min(PROCESSES) {
        processes.push(process(folder.path(), address).await);
    }
    // What queues a run is a part of what it costs.
    KINDS.lock().expect("a lock").clear();
    for _ in 0..runs {
        queue(&desk, steps).await;
    }
    let stop = CancellationToken::new();
    let mut working = JoinSet::new();
    let begun = Instant::now();
    for number in 0..workers {
        let app = processes[number % processes.len()].clone();
        let terms = WorkerTerms {
            parallel_runs: 4,
            ..WorkerTerms::named(format!("w{number}"))
        };
        let worker = Worker::new(app, terms).await.expect("a worker");
        working.spawn(worker.work(stop.clone()));
    }
    until_all_ended(&desk).await;
    let rate = runs as f64 / begun.elapsed().as_secs_f64();
    let kinds = KINDS.lock().expect("a lock").clone();
    let statements = kinds.values().sum::<u64>() as f64 / runs as f64;
    let mut starts = Vec::new();
    for _ in 0..SINGLE {
        let run = queue(&desk, steps).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        until_all_ended(&desk).await;
        let row: RunRow = desk.ports.store.run(&run).await.expect("a run");
        let start = row.started_at.expect("it started") - row.created_at;
        starts.push(start.num_microseconds().unwrap_or(0) as f64 / 1000.0);
    }
    stop.cancel();
    while working.join_next().await.is_some() {}
    starts.sort_by(f64::total_cmp);
    println!(
        "{workers:>7}  {steps:>5}  {rate:>7.1}  {:>7.1} ms  {:>7.1} ms  {statements:>10.1}",
        starts[SINGLE / 2],
        starts[SINGLE - 1]
    );
    if std::env::args().any(|word| word == "--each") {
        for (kind, count) in kinds {
            println!("{:>10.2}  {kind}", count as f64 / runs as f64);
        }
    }
}

/// A careen as another process would be: with connections and an engine of its own.
async fn process(folder: &Path, address: &str) -> Arc<App> {
    let engine = MemoryEngine::new();
    engine.any_image();
    let store = PostgresStore::connect(&address.to_owned().into())
        .await
        .expect("a database");
    let objects = folder.join("objects");
    let objects = ObjectFolder::at(objects.to_string_lossy(), []);
    let frames = PostgresFrames::new(store.clone(), Arc::new(objects));
    Arc::new(world::app(
        folder,
        &engine,
        (Arc::new(store), Arc::new(frames)),
    ))
}

async fn queue(desk: &App, steps: usize) -> String {
    let one = |number: usize| match number {
        0 => "{id: s0, cmd: busybox}".to_owned(),
        n => format!("{{id: s{n}, cmd: busybox, when: [s{}]}}", n - 1),
    };
    let all: Vec<String> = (0..steps).map(one).collect();
    let request = world::request(desk, &format!("steps: [{}]", all.join(", ")));
    let (secrets, place) = (Secrets::default(), Placement::default());
    let queued = desk.enqueue(request, &secrets, &place, "a bench").await;
    queued.expect("queued").0
}

async fn until_all_ended(desk: &App) {
    let filter = careen::ports::RunFilter {
        unfinished: true,
        limit: 1,
        ..Default::default()
    };
    loop {
        let look = desk.ports.store.runs(&filter);
        let unfinished = OWN.scope((), look).await.expect("a list");
        if unfinished.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Counts what the database library logs: each statement once.
struct Counter;

impl<S: Subscriber> Layer<S> for Counter {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != "sqlx::query" {
            return;
        }
        let mut summary = Summary(String::new());
        event.record(&mut summary);
        let is_frame = ["BEGIN", "COMMIT", "ROLLBACK"]
            .iter()
            .any(|it| summary.0.contains(it));
        if !is_frame && OWN.try_with(|()| ()).is_err() {
            let mut kinds = KINDS.lock().expect("a lock");
            *kinds.entry(summary.0).or_default() += 1;
        }
    }
}

struct Summary(String);

impl Visit for Summary {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        if field.name() == "summary" {
            self.0 = format!("{value:?}");
        }
    }
}

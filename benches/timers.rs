//! How long it takes until the runs of 100,000 timers that are due in the same minute are all queued.
//!
//! `cargo bench --bench timers [-- sqlite|postgres] [TIMERS]`. Tasks are in memory, timers and runs in the database;
//! Postgres is that of `./dev setup postgres`, or of CAREEN_TEST_POSTGRES_URL. The goal is one minute.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use careen::{
    adapters::{
        memory::{containers::MemoryEngine, store::MemoryFrames},
        postgres::PostgresStore,
        registry::Terms,
        sqlite::SqliteStore,
    },
    ports::{Clock, Expected, TaskChange},
    tasks::{Definition, TimerTrigger},
};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use support::{Outside, Stores, app};

#[path = "support/app.rs"]
mod support;

const USUAL_POSTGRES: &str = "postgres://postgres@127.0.0.1:5433/postgres";

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let count = words.iter().find_map(|word| word.parse().ok());
    let count = count.unwrap_or(100_000);
    let is_wanted = |name: &str| {
        !words.iter().any(|it| it == "sqlite" || it == "postgres")
            || words.iter().any(|it| it == name)
    };
    let folder = tempfile::tempdir().expect("a folder");
    if is_wanted("sqlite") {
        let path = folder.path().join("careen.db");
        let store = SqliteStore::open(&path).await.expect("a database");
        measure("SQLite", folder.path(), Arc::new(store), count).await;
    }
    if is_wanted("postgres") {
        postgres(folder.path(), count).await;
    }
}

async fn postgres(folder: &Path, count: usize) {
    let server = std::env::var("CAREEN_TEST_POSTGRES_URL");
    let server = server.unwrap_or_else(|_| USUAL_POSTGRES.to_owned());
    let Ok(mut connection) = PgConnection::connect(&server).await else {
        return println!("Postgres: none at {server}; ./dev setup postgres starts one");
    };
    let schema = format!("bench_{}", uuid::Uuid::new_v4().simple());
    let make = AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    let made = sqlx::raw_sql(make).execute(&mut connection).await;
    made.expect("a schema");
    let address = format!("{server}?options=-c%20search_path%3D{schema}").into();
    let store = PostgresStore::connect(&address).await.expect("a database");
    measure("Postgres", folder, Arc::new(store), count).await;
    let drop = AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"));
    let dropped = sqlx::raw_sql(drop).execute(&mut connection).await;
    dropped.expect("it goes");
}

async fn measure(name: &str, folder: &Path, store: Arc<impl Stores + 'static>, count: usize) {
    let clock = Arc::new(ShiftedClock::default());
    let outside = Outside {
        engine: MemoryEngine::new(),
        registry: Terms::default(),
        frames: Arc::new(MemoryFrames::new()),
        clock: clock.clone(),
    };
    let app = app(folder, store, outside);
    for number in 0..count {
        let change = new_task(number, clock.now());
        app.tasks.put_task(&change).await.expect("a task");
    }
    let begun = Instant::now();
    app.compare_timers().await.expect("timers");
    println!("{name}: {count} timers kept in {:.1} s", seconds(begun));
    clock.0.store(60, Ordering::Relaxed);
    let begun = Instant::now();
    let queued = app.fire_timers().await.expect("they fire");
    let took = seconds(begun);
    println!(
        "{name}: {queued} runs queued in {took:.1} s, {:.0} a second",
        queued as f64 / took
    );
    let begun = Instant::now();
    app.compare_timers().await.expect("timers");
    println!("{name}: compared with all tasks in {:.1} s", seconds(begun));
}

fn seconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64()
}

fn new_task(number: usize, at: DateTime<Utc>) -> TaskChange {
    let mut definition = Definition::named(format!("task-{number:06}"));
    definition.yaml = Some("steps:\n  - cmd: busybox true\n".to_owned());
    definition.triggers.timer = vec![TimerTrigger::new("often", "* * * * *")];
    TaskChange {
        definition,
        secrets: Vec::new(),
        expected: Expected::Any,
        manifest: None,
        by: "a bench".to_owned(),
        at,
    }
}

/// A clock that can be set forward, by whole seconds; it stands still otherwise, so that no second minute begins.
struct ShiftedClock(AtomicI64, DateTime<Utc>);

impl Default for ShiftedClock {
    fn default() -> Self {
        ShiftedClock(AtomicI64::new(0), Utc::now())
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        self.1 + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
    }
}

//! Workers as real processes on a real engine: killed and paused in mid-run, over SQLite and over Postgres.

use std::{path::Path, sync::Arc, time::Duration};

use careen::{
    adapters::{
        memory::{containers::MemoryEngine, store::MemoryFrames},
        sqlite::SqliteStore,
    },
    app::{App, Secrets},
    ports::Placement,
};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use crate::{
    careens::{Careen, Running},
    cli::sh,
    every_store, world,
};

/// Writes a numbered line every tenth of a second.
const COUNTING: &str =
    "echo begun >> begun; for i in $(seq 1 60); do echo line $i; sleep 0.1; done";
/// In seconds: short, so that a take-over need not be waited for.
const LEASE: &str = "3";

/// Something that queues into the database of a careen.
pub async fn desk(careen: &Careen, address: Option<&str>) -> App {
    let (engine, frames) = (MemoryEngine::new(), Arc::new(MemoryFrames::new()));
    let folder = careen.path("desk");
    match address {
        Some(address) => {
            let store = Arc::new(every_store::connect(address).await);
            world::app(&folder, &engine, (store, frames))
        }
        None => {
            let path = careen.path("data/careen.db");
            let store = Arc::new(SqliteStore::open(&path).await.unwrap());
            world::app(&folder, &engine, (store, frames))
        }
    }
}

pub async fn enqueue(desk: &App, text: &str) -> String {
    let request = world::request(desk, text);
    let (secrets, place) = (Secrets::default(), Placement::default());
    desk.enqueue(request, &secrets, &place, "a test")
        .await
        .unwrap()
        .0
}

fn worker(careen: &Careen, name: &str) -> Running {
    careen.start(&["worker", "--name", name, "--lease", LEASE])
}

fn counting() -> String {
    let after = sh("after", "cat begun", "    when: [count]\n");
    format!("steps:\n{}{after}", sh("count", COUNTING, ""))
}

/// Waits until the step `count` has written some lines.
pub fn until_counting(careen: &Careen) {
    careen.until("it has counted for a while", |careen| {
        let ran = careen.does(&["runs", "logs", "latest", "--step", "count"]);
        ran.stdout.lines().count() > 5
    });
}

/// Waits for the end and asserts that each step ran once and each line was kept once.
fn assert_went_on(careen: &Careen) {
    let run = careen.success_of("latest", 1);
    let lines: Vec<String> = (1..=60).map(|number| format!("line {number}")).collect();
    assert_eq!(careen.log("count").lines().collect::<Vec<_>>(), lines);
    assert_eq!(careen.log("after"), "begun\n");
    assert_eq!(run["attempts"].as_array().unwrap().len(), 2);
}

/// A worker is killed in mid-run; another goes on with its container.
async fn killed(careen: &Careen, address: Option<&str>) {
    enqueue(&desk(careen, address).await, &counting()).await;
    let first = worker(careen, "one");
    until_counting(careen);
    first.kill();
    let _second = worker(careen, "two");
    assert_went_on(careen);
}

/// Stops a worker, though not amid a write: what has SQLite's lock then keeps it, and all others wait.
async fn pause(careen: &Careen, worker: &Running) {
    worker.signal("-STOP");
    let database = careen.database();
    while database.exists() && !is_writable(&database).await {
        worker.signal("-CONT");
        tokio::time::sleep(Duration::from_millis(10)).await;
        worker.signal("-STOP");
    }
}

async fn is_writable(database: &Path) -> bool {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .busy_timeout(Duration::from_millis(500));
    let mut connection = options.connect().await.expect("a database");
    connection.begin_with("BEGIN IMMEDIATE").await.is_ok()
}

/// A worker stands still while another takes its run over and ends it; then it wakes up.
async fn paused(careen: &Careen, address: Option<&str>) {
    enqueue(&desk(careen, address).await, &counting()).await;
    let first = worker(careen, "one");
    until_counting(careen);
    pause(careen, &first).await;
    let _second = worker(careen, "two");
    assert_went_on(careen);
    let before = careen.latest();
    first.signal("-CONT");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(careen.latest(), before);
}

/// Runs of two workers, one of which is killed and started again all the time.
async fn harassed(careen: &Careen, address: Option<&str>) {
    let desk = desk(careen, address).await;
    let text = format!("steps:\n{}", sh("s", "sleep 1; echo done", ""));
    let mut runs = Vec::new();
    for _ in 0..6 {
        runs.push(enqueue(&desk, &text).await);
    }
    let _steady = worker(careen, "steady");
    for _ in 0..4 {
        let harassed = worker(careen, "harassed");
        std::thread::sleep(Duration::from_millis(1300));
        harassed.kill();
    }
    let _harassed = worker(careen, "harassed");
    for run in &runs {
        assert_eq!(careen.end_of(run)["status"], "succeeded");
        let log = careen.does(&["runs", "logs", run, "--step", "s"]);
        assert_eq!(log.stdout, "done\n");
    }
}

/// Proves a story over SQLite, then over Postgres.
fn over_both(story: impl AsyncFn(&Careen, Option<&str>)) {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    let runtime = || tokio::runtime::Runtime::new().expect("a runtime");
    runtime().block_on(story(&careen, None));
    runtime().block_on(every_store::on_postgres_at(async |address| {
        let mut other = Careen::new();
        other.set("CAREEN_DB", &address);
        story(&other, Some(&address)).await;
        assert_eq!(other.json(&["sweep"])["removed"], 0);
    }));
}

#[test]
fn another_worker_goes_on_with_the_container_of_one_that_was_killed() {
    over_both(killed);
}

#[test]
fn a_worker_that_was_paused_touches_nothing_of_a_run_that_another_took() {
    over_both(paused);
}

#[test]
fn runs_end_well_while_a_worker_is_killed_again_and_again() {
    over_both(harassed);
}

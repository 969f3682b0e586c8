//! One run of 10,000 steps side by side, on an engine that runs nothing, with the record in memory and in SQLite.
//!
//! `cargo bench --bench wide`. Prints seconds and peak memory; the goal is under 2 s and 150 MB with the memory store.

use std::{path::Path, process::Command, sync::Arc, time::Instant};

use careen::{
    adapters::{
        clock::SystemClock,
        files::FileFrames,
        memory::{
            containers::MemoryEngine,
            store::{MemoryFrames, MemoryStore},
        },
        registry::Terms,
        sqlite::SqliteStore,
    },
    app::{App, Limits, Live, Request, Secrets, draw},
    engine::RunStatus,
    ports::FrameStore,
    spec::RunVars,
};
use chrono::Utc;
use tokio_util::sync::CancellationToken;

use support::{Outside, Stores};

#[path = "support/app.rs"]
mod support;

/// Steps that all start at once, as far as the limit allows.
const STEPS: usize = 10_000;

fn main() {
    let mode = std::env::args().find(|it| it == "memory" || it == "sqlite");
    match mode {
        Some(mode) => measure(&mode),
        // Each in a process of its own, so that its peak memory is its own.
        None => ["memory", "sqlite"].into_iter().for_each(again),
    }
}

fn again(mode: &str) {
    let own = std::env::current_exe().expect("the bench knows itself");
    let status = Command::new(own)
        .arg(mode)
        .status()
        .expect("the bench starts");
    assert!(status.success());
}

fn measure(mode: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let (seconds, status) =
        runtime.block_on(async { run(app_with(mode, folder.path()).await).await });
    assert_eq!(status, RunStatus::Succeeded);
    println!(
        "{STEPS} steps, {mode} store: {seconds:.2} s, peak {} MB",
        peak_megabytes()
    );
}

async fn app_with(mode: &str, folder: &Path) -> App {
    if mode == "memory" {
        let store = Arc::new(MemoryStore::new("bench"));
        return app(folder, store, Arc::new(MemoryFrames::new()));
    }
    let store = SqliteStore::open(&folder.join("careen.db"))
        .await
        .expect("a database");
    let store = Arc::new(store);
    let frames = Arc::new(FileFrames::open(&folder.join("logs"), store.clone()));
    app(folder, store, frames)
}

fn app(folder: &Path, store: Arc<impl Stores + 'static>, frames: Arc<dyn FrameStore>) -> App {
    let engine = MemoryEngine::new();
    engine.any_image();
    let outside = Outside {
        engine,
        registry: Terms::default(),
        frames,
        clock: Arc::new(SystemClock),
    };
    support::app(folder, store, outside)
}

async fn run(app: App) -> (f64, RunStatus) {
    let step = |i| format!("  - {{id: s{i}, cmd: busybox true, when: ['-']}}\n");
    let text = format!("steps:\n{}", (0..STEPS).map(step).collect::<String>());
    let start = Instant::now();
    let request = Request {
        file: "wide.yaml".to_owned(),
        text,
        context: None,
        pin: None,
        pins: Default::default(),
        bases: Default::default(),
        deferred: None,
        is_restricted: false,
        opened: None,
        values: serde_json::Map::new(),
        alias_files: Default::default(),
        vars: RunVars {
            id: app.draw_id(),
            ..RunVars::default()
        },
        draws: draw(Utc::now()),
        timeout_seconds: 3600,
        parallel: 256,
        wait_healthy: false,
        strict: false,
        allow: Vec::new(),
        limits: Limits::default(),
        outputs: Vec::new(),
        bounds: Vec::new(),
        retry_of: None,
    };
    let queued = app
        .queue(request, Secrets::default(), None)
        .await
        .expect("it is queued");
    let live = Live {
        watcher: Arc::new(()),
        cancel: CancellationToken::new(),
        logins: Vec::new(),
        shares_cache: false,
    };
    let outcome = app.drive(queued, live).await.expect("it is driven");
    (start.elapsed().as_secs_f64(), outcome.run.status)
}

/// The most memory that this process ever held, as Linux tells it.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}

//! One run of 10,000 steps side by side, on an engine that runs nothing, with the record in memory and in SQLite.
//!
//! `cargo bench --bench wide`. Prints seconds and peak memory; the goal is under 2 s and 150 MB with the memory store.

use std::{path::Path, process::Command, sync::Arc, time::Instant};

use careen::{
    adapters::{
        clock::SystemClock,
        disk::LocalDisk,
        files::FileFrames,
        folder::{Bounds, Cache, Caps, Elsewhere, LocalFolders},
        locks::LockFolder,
        memory::{
            containers::MemoryEngine,
            credentials::MemoryCredentials,
            store::{MemoryAccess, MemoryFrames, MemoryStore, MemoryTasks},
        },
        objects::ObjectFolder,
        registry::{HttpRegistry, Terms},
        sqlite::SqliteStore,
        vault::FileVault,
        web::Web,
    },
    app::{App, Credentials, KnownFleet, Limits, Live, Request, Room, Secrets, draw},
    engine::RunStatus,
    ports::{
        Bases, Deliveries, Duties, FleetStore, FrameStore, Queue, RunStore, Timers, Upkeep, Workers,
    },
    runner::Ports,
    spec::RunVars,
};
use chrono::Utc;
use tokio_util::sync::CancellationToken;

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

fn app(
    folder: &Path,
    store: Arc<
        impl RunStore
        + Queue
        + Workers
        + Duties
        + Timers
        + Bases
        + FleetStore
        + Upkeep
        + Deliveries
        + 'static,
    >,
    frames: Arc<dyn FrameStore>,
) -> App {
    let engine = MemoryEngine::new();
    engine.any_image();
    let engine = Arc::new(engine);
    let registry = Arc::new(HttpRegistry::new(Terms::default()));
    App {
        ports: Ports {
            containers: engine.clone(),
            images: engine,
            store: store.clone(),
            frames,
            contexts: Arc::new(Elsewhere::new(
                Cache::new(folder.join("contexts"), 1 << 30),
                Arc::new(Web),
                registry.clone(),
                Bounds::default(),
            )),
            folders: Arc::new(LocalFolders::new(Arc::new(drop), Caps::default())),
            registry,
            clock: Arc::new(SystemClock),
        },
        upkeep: store.clone(),
        room: Arc::new(Room::new(Arc::new(LocalDisk), folder.to_owned(), 0)),
        queue: store.clone(),
        deliveries: store.clone(),
        timers: store.clone(),
        workers: store.clone(),
        duties: store.clone(),
        bases: store.clone(),
        fleet: Arc::new(KnownFleet::new(store)),
        tasks: Arc::new(MemoryTasks::default()),
        access: Arc::new(MemoryAccess::default()),
        courier: Arc::new(Web),
        objects: Arc::new(ObjectFolder::at(
            folder.join("objects").to_string_lossy(),
            [],
        )),
        contexts: folder.join("uploads"),
        uploads: Default::default(),
        vault: Arc::new(FileVault::open(&folder.join("key"))),
        liveness: Arc::new(LockFolder::new(folder.join("locks"))),
        fetch: Arc::new(Web),
        credentials: Credentials::new(
            Arc::new(MemoryCredentials::new()),
            Arc::new(MemoryCredentials::new()),
        ),
        files: folder.join("files"),
    }
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

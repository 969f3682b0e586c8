//! careen with nothing outside of it: an engine that runs nothing, and a clock that tests can pause.

use std::{path::Path, sync::Arc};

use careen::{
    adapters::{
        disk::LocalDisk,
        files::FileFrames,
        folder::{Bounds, Cache, Caps, Elsewhere, LocalFolders},
        locks::LockFolder,
        memory::{
            containers::MemoryEngine,
            credentials::MemoryCredentials,
            registry::MemoryRegistry,
            store::{MemoryAccess, MemoryFrames, MemoryStore, MemoryTasks},
        },
        objects::ObjectFolder,
        sqlite::SqliteStore,
        vault::FileVault,
    },
    app::{
        App, AppError, Credentials, KnownFleet, Limits, Live, Outcome, Request, Room, Secrets, draw,
    },
    ports::{
        Access, Bases, Clock, Courier, CourierError, Deliveries, Download, DownloadError,
        Downloads, Duties, Fetch, FetchError, FleetStore, FrameStore, NewRun, Parcel, Queue,
        RunStore, Timers, Trigger, TriggerKind, Upkeep, Workers,
    },
    runner::Ports,
    spec::RunVars,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// All that one store of careen's does.
pub trait Stores:
    RunStore + Queue + Workers + Duties + Timers + Bases + FleetStore + Deliveries + Upkeep
{
}

impl<T> Stores for T where
    T: RunStore + Queue + Workers + Duties + Timers + Bases + FleetStore + Deliveries + Upkeep
{
}

/// A careen of its own.
pub struct World {
    pub app: App,
    pub engine: MemoryEngine,
    folder: tempfile::TempDir,
}

impl World {
    /// Makes one whose engine takes every image for present.
    pub async fn new() -> World {
        Self::over(Arc::new(MemoryStore::new("memory")))
    }

    /// The same over a store of the caller's; logs, tasks and credentials are in memory.
    pub fn over(store: Arc<impl Stores + 'static>) -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let engine = MemoryEngine::new();
        engine.any_image();
        let app = app(
            folder.path(),
            &engine,
            (store, Arc::new(MemoryFrames::new())),
        );
        World {
            app,
            engine,
            folder,
        }
    }

    /// The same careen once more, to be shared: its record is that of this world.
    pub fn app(&self) -> App {
        App {
            ports: self.app.ports.clone(),
            queue: self.app.queue.clone(),
            workers: self.app.workers.clone(),
            duties: self.app.duties.clone(),
            deliveries: self.app.deliveries.clone(),
            timers: self.app.timers.clone(),
            bases: self.app.bases.clone(),
            fleet: self.app.fleet.clone(),
            tasks: self.app.tasks.clone(),
            access: self.app.access.clone(),
            upkeep: self.app.upkeep.clone(),
            room: self.app.room.clone(),
            vault: self.app.vault.clone(),
            liveness: self.app.liveness.clone(),
            fetch: self.app.fetch.clone(),
            courier: self.app.courier.clone(),
            objects: self.app.objects.clone(),
            contexts: self.app.contexts.clone(),
            uploads: Default::default(),
            credentials: self.app.credentials.clone(),
            files: self.app.files.clone(),
        }
    }

    /// A folder that lives as long as this world.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A request to run a task file, with nothing else said.
    pub fn request(&self, text: &str) -> Request {
        request(&self.app, text)
    }

    /// Runs a request to its end; what is odd in the file comes with it.
    pub async fn run(
        &self,
        mut request: Request,
        secrets: Secrets,
    ) -> Result<(Outcome, careen::text::Diagnostics), AppError> {
        let app = &self.app;
        app.read_alias_files(&mut request, &secrets, false).await?;
        let queued = app.queue(request, secrets, None).await?;
        let warnings = queued.warnings.clone();
        let live = Live {
            watcher: Arc::new(()),
            cancel: CancellationToken::new(),
            logins: Vec::new(),
            shares_cache: false,
        };
        Ok((app.drive(queued, live).await?, warnings))
    }
}

/// Queues a run of a stranger's pull request, which waits until someone approves it; returns its id.
pub async fn queue_held(app: &App, name: &str, text: &str) -> String {
    let wish = json!({ "name": name, "text": text });
    let wish = serde_json::from_value(wish).expect("a wish");
    let (request, _) = app.wished_request(wish, None).await.expect("a request");
    let details = json!({ "repository": "https://git.example/web", "reference": "refs/pull/7/head",
        "commit": "4f2a90c1", "pull_request": 7, "author": "<b>mallory", "seen_by": "delivery" });
    let key = format!("source/{name}/7");
    let trigger = Trigger {
        needs_approval: true,
        ..Trigger::new(TriggerKind::Source, key, details)
    };
    let run = NewRun {
        id: request.vars.id.clone(),
        name: name.to_owned(),
        cause: "pull request 7 of https://git.example/web".to_owned(),
        trigger: Some(trigger),
        request: json!(request),
        secrets: Vec::new(),
        rerun_of: None,
        created_at: app.ports.clock.now(),
    };
    let queued = app.queue.enqueue(&run, &Default::default()).await;
    queued.expect("it is queued");
    run.id
}

/// A request to run a task file, with nothing else said.
pub fn request(app: &App, text: &str) -> Request {
    let id = app.draw_id();
    let now = app.ports.clock.now();
    Request {
        file: "acb.yaml".to_owned(),
        text: text.to_owned(),
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
            date: now,
            shared_volume: format!("acb_vol_{id}"),
            os: "linux".to_owned(),
            os_version: "0".to_owned(),
            architecture: "amd64".to_owned(),
            id,
            ..RunVars::default()
        },
        draws: draw(now),
        timeout_seconds: 3600,
        parallel: 8,
        wait_healthy: false,
        strict: false,
        allow: Vec::new(),
        limits: Limits::default(),
        outputs: Vec::new(),
        bounds: Vec::new(),
        retry_of: None,
    }
}

/// Makes a careen that reads the record of another, in the folder that holds its database.
pub async fn reader(folder: &Path) -> App {
    let store = SqliteStore::open(&folder.join("careen.db")).await;
    let store = Arc::new(store.expect("a database"));
    let frames = FileFrames::open(&folder.join("logs"), store.clone());
    app(folder, &MemoryEngine::new(), (store, Arc::new(frames)))
}

/// Makes a careen of these parts.
pub fn app(
    folder: &Path,
    engine: &MemoryEngine,
    (store, frames): (Arc<impl Stores + 'static>, Arc<dyn FrameStore>),
) -> App {
    let at = |name: &str| folder.join(name);
    let registry = Arc::new(MemoryRegistry::new());
    App {
        ports: Ports {
            containers: Arc::new(engine.clone()),
            images: Arc::new(engine.clone()),
            frames,
            store: store.clone(),
            contexts: Arc::new(Elsewhere::new(
                Cache::new(at("contexts"), 1 << 30),
                Arc::new(NoWeb),
                registry.clone(),
                Bounds::default(),
            )),
            folders: Arc::new(LocalFolders::new(Arc::new(drop), Caps::default())),
            registry: registry.clone(),
            clock: Arc::new(PausableClock::new()),
        },
        upkeep: store.clone(),
        room: Arc::new(Room::new(Arc::new(LocalDisk), folder.to_owned(), 0)),
        queue: store.clone(),
        workers: store.clone(),
        duties: store.clone(),
        timers: store.clone(),
        deliveries: store.clone(),
        bases: store.clone(),
        fleet: Arc::new(KnownFleet::new(store)),
        tasks: Arc::new(MemoryTasks::default()),
        access: Arc::new(MemoryAccess::default()),
        vault: Arc::new(FileVault::open(&at("key"))),
        liveness: Arc::new(LockFolder::new(at("locks"))),
        fetch: Arc::new(NoWeb),
        courier: Arc::new(NoWeb),
        objects: Arc::new(ObjectFolder::at(at("objects").to_string_lossy(), [])),
        contexts: at("uploaded"),
        uploads: Default::default(),
        credentials: Credentials::new(
            Arc::new(MemoryCredentials::new()),
            Arc::new(MemoryCredentials::new()),
        ),
        files: at("files"),
    }
}

/// Tells the time by tokio's clock.
struct PausableClock {
    noon: (Instant, DateTime<Utc>),
}

impl PausableClock {
    fn new() -> PausableClock {
        PausableClock {
            noon: (Instant::now(), Utc::now()),
        }
    }
}

impl Clock for PausableClock {
    fn now(&self) -> DateTime<Utc> {
        let passed = TimeDelta::from_std(self.noon.0.elapsed());
        self.noon.1 + passed.expect("no test runs for ages")
    }
}

#[async_trait::async_trait]
impl Courier for NoWeb {
    async fn carry(&self, parcel: &Parcel) -> Result<(), CourierError> {
        Err(CourierError::Refused(format!(
            "{}: there is no web here",
            parcel.url
        )))
    }
}

/// There is no web in memory.
pub struct NoWeb;

#[async_trait::async_trait]
impl Fetch for NoWeb {
    async fn text(&self, url: &str, _: usize) -> Result<String, FetchError> {
        Err(FetchError(format!("{url}: there is no web here")))
    }
}

#[async_trait::async_trait]
impl Downloads for NoWeb {
    async fn get(&self, _: &str, _: &Access, _: Option<&str>) -> Result<Download, DownloadError> {
        Err(DownloadError::Unreachable(
            "there is no web here".to_owned(),
        ))
    }
}

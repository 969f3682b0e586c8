//! What keeps a worker from taking runs: it says so, takes none, and goes on by itself when the trouble is over.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use careen::{
    adapters::{
        memory::{
            containers::MemoryEngine,
            store::{MemoryFrames, MemoryStore},
        },
        vault::FileVault,
    },
    app::{App, Room, Secrets, Worker, WorkerTerms},
    engine::RunStatus,
    ports::{Disk, ObjectError, Placement, RunStore, StoredSecret, Vault, WorkerRow, Workers},
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{troubled_objects::Troubled, world};

const PATIENCE: Duration = Duration::from_secs(60);

/// Whether there is trouble just now.
type Trouble = Arc<AtomicBool>;

/// A worker over an engine and a store in memory, and what it can be troubled with.
struct Scene {
    app: App,
    store: Arc<MemoryStore>,
    engine: MemoryEngine,
    trouble: Trouble,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = MemoryEngine::new();
        engine.any_image();
        let store = Arc::new(MemoryStore::new("troubled"));
        let stores = (store.clone(), Arc::new(MemoryFrames::new()) as _);
        let mut app = world::app(folder.path(), &engine, stores);
        let trouble = Trouble::default();
        app.room = Arc::new(Room::new(
            Arc::new(SmallDisk(trouble.clone())),
            folder.path().to_owned(),
            1,
        ));
        Scene {
            app,
            store,
            engine,
            trouble,
            folder,
        }
    }

    /// What the worker says of itself, once it does.
    async fn said(&self, is_so: impl Fn(&WorkerRow) -> bool) -> WorkerRow {
        let begun = Instant::now();
        loop {
            let workers = self.store.workers().await.expect("workers");
            if let Some(worker) = workers.iter().find(|it| is_so(it)) {
                return worker.clone();
            }
            assert!(begun.elapsed() < PATIENCE, "{workers:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Has trouble begin beside a worker at work, and end: no run is taken in between, and one that waits goes then.
    async fn survives(self, words: &str, begin: impl AsyncFn(&Scene), end: impl AsyncFn(&Scene)) {
        let stores = (self.store.clone(), self.app.ports.frames.clone());
        let mut app = world::app(self.folder.path(), &self.engine, stores);
        app.room = self.app.room.clone();
        app.objects = self.app.objects.clone();
        app.credentials = self.app.credentials.clone();
        let stop = CancellationToken::new();
        begin(&self).await;
        let terms = WorkerTerms::named("w1");
        let worker = match Worker::new(Arc::new(app), terms).await {
            Ok(worker) => worker,
            Err(error) => panic!("{words}: {error}"),
        };
        let working = tokio::spawn(worker.work(stop.clone()));
        let has_said = |it: &WorkerRow| {
            it.facts
                .problem
                .as_deref()
                .is_some_and(|it| it.contains(words))
        };
        let first = self.said(has_said).await;
        let request = world::request(&self.app, "steps: [{id: s, cmd: busybox}]");
        let (secrets, place) = (Secrets::default(), Placement::default());
        let queued = self.app.enqueue(request, &secrets, &place, "a test").await;
        let run = queued.expect("queued").0;
        // It has looked again twice at least, and taken nothing.
        let mut last = first.seen_at;
        for _ in 0..2 {
            last = self
                .said(|it| has_said(it) && it.seen_at > last)
                .await
                .seen_at;
        }
        let status = async || self.store.run(&run).await.expect("a run").status;
        assert_eq!(status().await, RunStatus::Queued, "{words}");
        end(&self).await;
        self.said(|it| it.facts.problem.is_none()).await;
        let begun = Instant::now();
        while !status().await.is_ended() {
            assert!(begun.elapsed() < PATIENCE, "{words}");
            sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(status().await, RunStatus::Succeeded, "{words}");
        stop.cancel();
        working.await.expect("no panic").expect("no trouble");
    }
}

/// A disk that is full while there is trouble.
struct SmallDisk(Trouble);

impl Disk for SmallDisk {
    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(if self.0.load(SeqCst) { 0 } else { 1 << 30 })
    }
}

async fn on(scene: &Scene) {
    scene.trouble.store(true, SeqCst);
}

async fn off(scene: &Scene) {
    scene.trouble.store(false, SeqCst);
}

#[tokio::test]
async fn a_full_disk_is_said_and_outlasted() {
    Scene::new().survives("bytes left", on, off).await;
}

#[tokio::test]
async fn an_object_store_that_refuses_is_said_and_outlasted() {
    let mut scene = Scene::new();
    let inner = scene.app.objects.clone();
    let refuses = Trouble::default();
    let error = ObjectError {
        address: "s3://bucket".to_owned(),
        problem: "it refuses (403 Forbidden, InvalidAccessKeyId)".to_owned(),
        hint: String::new(),
        is_passing: false,
    };
    scene.app.objects = Arc::new(Troubled::before(inner, refuses.clone(), error));
    let set = |to: bool| {
        let refuses = refuses.clone();
        async move |_: &Scene| refuses.store(to, SeqCst)
    };
    scene
        .survives("InvalidAccessKeyId", set(true), set(false))
        .await;
}

/// A secret that the key of this file sealed.
async fn sealed(scene: &Scene, key: &str) {
    let vault = FileVault::open(&scene.folder.path().join(key));
    let value = "hunter22".to_owned().into();
    let row = StoredSecret::row("deploy");
    let secret = StoredSecret {
        name: "deploy".to_owned(),
        sealed: vault.seal(&row, &value).expect("sealed"),
        updated_at: chrono::Utc::now(),
    };
    let secrets = &scene.app.credentials.secrets;
    secrets.set_secret(&secret).await.expect("set");
}

#[tokio::test]
async fn a_key_that_opens_nothing_is_said_and_outlasted() {
    let other = async |scene: &Scene| sealed(scene, "other-key").await;
    let own = async |scene: &Scene| sealed(scene, "key").await;
    Scene::new()
        .survives("its key does not open", other, own)
        .await;
}

#[tokio::test]
async fn an_engine_that_goes_away_is_said_and_outlasted() {
    let scene = Scene::new();
    let engine = scene.engine.clone();
    let back = {
        let engine = engine.clone();
        async move |_: &Scene| engine.restore_connection()
    };
    let away = async move |_: &Scene| {
        // It must be there at first: a worker has to know its engine.
        let engine = engine.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(300)).await;
            engine.break_connection();
        });
    };
    scene.survives("engine", away, back).await;
}

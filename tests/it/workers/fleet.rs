//! Workers as threads of their own over one store and one engine in memory: each can be killed or paused.

use std::{sync::Arc, time::Duration};

use careen::{
    adapters::memory::{
        containers::{Call, MemoryEngine},
        store::{MemoryFrames, MemoryStore},
    },
    app::{App, Secrets, Worker, WorkerTerms},
    engine::RunStatus,
    logs::{Line, LogLines},
    ports::{FrameStore, LogKey, Placement, RunRow, RunStore},
};
use tokio::{runtime::Handle, sync::oneshot};
use tokio_util::sync::CancellationToken;

use crate::world;

/// Short, so that take-overs need not be waited for; four renewals still fit in.
const LEASE: Duration = Duration::from_millis(1200);
/// How long to wait for what must come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A store, an engine and a careen to queue with.
pub struct Fleet {
    pub app: App,
    pub store: Arc<MemoryStore>,
    pub engine: MemoryEngine,
    frames: Arc<MemoryFrames>,
    folder: tempfile::TempDir,
}

/// A worker on a thread of its own.
pub struct Process {
    handle: Handle,
    kill: Option<oneshot::Sender<()>>,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Fleet {
    pub fn new() -> Fleet {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = MemoryEngine::new();
        engine.any_image();
        let (store, frames) = (
            Arc::new(MemoryStore::new("fleet")),
            Arc::new(MemoryFrames::new()),
        );
        let app = world::app(folder.path(), &engine, (store.clone(), frames.clone()));
        Fleet {
            app,
            store,
            engine,
            frames,
            folder,
        }
    }

    pub fn worker(&self, name: &str) -> Process {
        self.worker_with(name, LEASE)
    }

    pub fn worker_with(&self, name: &str, lease: Duration) -> Process {
        self.start(name, &self.engine, lease)
    }

    pub fn worker_on(&self, name: &str, engine: &MemoryEngine) -> Process {
        self.start(name, engine, LEASE)
    }

    fn start(&self, name: &str, engine: &MemoryEngine, lease: Duration) -> Process {
        let frames: Arc<dyn FrameStore> = self.frames.clone();
        let stores = (self.store.clone(), frames);
        let app = Arc::new(world::app(self.folder.path(), engine, stores));
        let terms = WorkerTerms {
            lease,
            parallel_runs: 4,
            ..WorkerTerms::named(name)
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let (kill, killed) = oneshot::channel();
        let stop = CancellationToken::new();
        let (handle, stopping) = (runtime.handle().clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let worker = Worker::new(app, terms).await.expect("a worker");
                tokio::select! {
                    done = worker.work(stopping) => done.expect("no trouble"),
                    _ = killed => {}
                }
            });
            // All its tasks end here, wherever they are.
            drop(runtime);
        });
        Process {
            handle,
            kill: Some(kill),
            stop,
            thread: Some(thread),
        }
    }

    pub async fn enqueue(&self, text: &str, place: &Placement) -> String {
        let (request, secrets) = (world::request(&self.app, text), Secrets::default());
        let queued = self.app.enqueue(request, &secrets, place, "a test").await;
        queued.expect("queued").0
    }

    pub async fn ended(&self, run: &str) -> RunRow {
        let begun = tokio::time::Instant::now();
        loop {
            let row = self.store.run(run).await.expect("a run");
            if row.status.is_ended() {
                return row;
            }
            assert!(begun.elapsed() < PATIENCE, "{row:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn until(&self, mut is_so: impl FnMut() -> bool) {
        let begun = tokio::time::Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn until_started(&self, step: &str) {
        self.until(|| self.engine.count(Call::Start, step) > 0)
            .await;
    }

    pub async fn until_made(&self, step: &str) {
        self.until(|| self.engine.count(Call::Create, step) > 0)
            .await;
    }

    /// The lines of the first attempt of a run's first step.
    pub async fn lines(&self, run: &str) -> Vec<String> {
        let key = LogKey {
            run: run.to_owned(),
            generation: 1,
            step: 0,
            attempt: 1,
        };
        let mut log = LogLines::from(self.frames.clone(), key, 0);
        let lines = log.read(1_000_000).await.expect("a log");
        let text = |line: &Line| String::from_utf8_lossy(&line.text).into_owned();
        lines.iter().map(text).collect()
    }

    /// The run succeeded, its step `s` started once and every line was kept once.
    pub async fn assert_went_on(&self, run: &str) {
        let ended = self.ended(run).await;
        assert_eq!(ended.status, RunStatus::Succeeded, "{ended:?}");
        assert_eq!(ended.generation, 1);
        assert_eq!(self.engine.count(Call::Start, "s"), 1);
        let expected: Vec<String> = (0..200).map(|n| format!("line {n}")).collect();
        assert_eq!(self.lines(run).await, expected);
        assert_eq!(self.engine.left_over(), []);
    }
}

impl Process {
    /// Ends it at once, as SIGKILL does.
    pub fn kill(mut self) {
        let _ = self.kill.take().map(|kill| kill.send(()));
        self.join();
    }

    /// Ends it as SIGTERM does.
    pub fn stop(mut self) {
        self.stop.cancel();
        self.join();
    }

    /// Stands still for a time, as after SIGSTOP.
    pub fn pause(&self, time: Duration) {
        self.handle.spawn(async move { std::thread::sleep(time) });
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the worker did not break down");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill.take();
        if !std::thread::panicking() {
            self.join();
        }
    }
}

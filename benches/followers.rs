//! What following one growing log costs the store: how often each part of it is read for one follower, and for a
//! thousand, and how long after it was written the last of them has its last line.
//!
//! `cargo bench --bench followers [-- FOLLOWERS]`. They follow as those of a server do, through what it shares; the log
//! is in files with its index in SQLite. The goal is that a thousand cost one read of it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use careen::{
    adapters::{files::FileFrames, sqlite::SqliteStore},
    logs::{LogWriter, Logs, Masker, RunLines, SharedFrames},
    ports::{
        Frame, FrameIndex, FrameStore, LogKey, LogSummary, NewRun, Output, RunStore, StoreError,
        Stream,
    },
};
use tokio::{sync::watch, task::JoinSet};

/// Lines of the log, and how many are written at a time.
const LINES: usize = 2_000;
const AT_ONCE: usize = 20;
/// How long the step that writes them thinks in between.
const PAUSE: Duration = Duration::from_millis(50);

/// Counts what is asked of a store.
struct Counting {
    inner: FileFrames,
    /// How often each frame was read.
    reads: Mutex<HashMap<(LogKey, u64), usize>>,
    questions: AtomicUsize,
}

impl Counting {
    fn count(&self, key: &LogKey, frame: &FrameIndex) {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        *reads.entry((key.clone(), frame.first_line)).or_default() += 1;
    }
}

#[async_trait]
impl FrameStore for Counting {
    async fn append(&self, frames: Vec<(LogKey, Frame)>) -> Result<(), StoreError> {
        self.inner.append(frames).await
    }

    async fn index(
        &self,
        key: &LogKey,
        first_line: u64,
        limit: u32,
    ) -> Result<Vec<FrameIndex>, StoreError> {
        self.questions.fetch_add(1, Relaxed);
        self.inner.index(key, first_line, limit).await
    }

    async fn read(&self, key: &LogKey, frame: &FrameIndex) -> Result<Bytes, StoreError> {
        self.count(key, frame);
        self.inner.read(key, frame).await
    }

    async fn last(&self, key: &LogKey) -> Result<Option<FrameIndex>, StoreError> {
        self.inner.last(key).await
    }

    async fn logs(&self, run: &str) -> Result<Vec<LogSummary>, StoreError> {
        self.questions.fetch_add(1, Relaxed);
        self.inner.logs(run).await
    }

    async fn remove(&self, run: &str) -> Result<(), StoreError> {
        self.inner.remove(run).await
    }

    fn changes(&self, run: &str) -> watch::Receiver<u64> {
        self.inner.changes(run)
    }
}

#[tokio::main]
async fn main() {
    let many = std::env::args().filter_map(|word| word.parse().ok()).next();
    println!("a log of {LINES} lines, {AT_ONCE} every {PAUSE:?}");
    for followers in [1, many.unwrap_or(1_000)] {
        measure(followers).await;
    }
}

async fn measure(followers: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let index = SqliteStore::open(&folder.path().join("careen.db")).await;
    let index = index.expect("the folder can be written");
    index.create_run(&run()).await.expect("a new database");
    let store = Arc::new(Counting {
        inner: FileFrames::open(&folder.path().join("logs"), Arc::new(index)),
        reads: Mutex::default(),
        questions: AtomicUsize::default(),
    });
    let shared: Arc<dyn FrameStore> = Arc::new(SharedFrames::new(store.clone()));
    let mut following = JoinSet::new();
    for _ in 0..followers {
        following.spawn(follow(shared.clone()));
    }
    let logs = Logs::new(store.clone());
    let masker = Arc::new(Masker::new([]));
    let writer = logs.writer(key(), masker).await.expect("a new log");
    let (begun, cpu) = (Instant::now(), cpu_time());
    let written = write(writer).await;
    let ends = following.join_all().await;
    let last = ends.into_iter().max().expect("there are followers");
    let reads = store.reads.lock().unwrap_or_else(PoisonError::into_inner);
    println!(
        "{followers} followers: {} frames read {} times (the one read most, {}), {} questions about what there is; \
         the slowest was done {:.0} ms after the writer; {:.2} s of a core in {:.1} s",
        reads.len(),
        reads.values().sum::<usize>(),
        reads.values().max().expect("frames were read"),
        store.questions.load(Relaxed),
        last.saturating_duration_since(written).as_secs_f64() * 1e3,
        (cpu_time() - cpu).as_secs_f64(),
        begun.elapsed().as_secs_f64(),
    );
}

fn run() -> NewRun {
    NewRun {
        id: "bench".to_owned(),
        name: String::new(),
        cause: String::new(),
        trigger: None,
        request: serde_json::Value::Null,
        secrets: Vec::new(),
        rerun_of: None,
        created_at: chrono::Utc::now(),
    }
}

fn key() -> LogKey {
    LogKey {
        run: "bench".to_owned(),
        generation: 1,
        step: 0,
        attempt: 1,
    }
}

/// Reads the whole log as it grows; says when its last line was there.
async fn follow(store: Arc<dyn FrameStore>) -> Instant {
    let mut lines = RunLines::new(store, "bench");
    let mut count = 0;
    loop {
        while lines.next().await.expect("the log is whole").is_some() {
            count += 1;
        }
        if count == LINES {
            return Instant::now();
        }
        lines.changed().await;
    }
}

/// Writes the log; says when all of it was stored.
async fn write(mut writer: LogWriter) -> Instant {
    for first in (0..LINES).step_by(AT_ONCE) {
        let lines = (first..first + AT_ONCE).map(|n| format!("line {n} of what a step says\n"));
        let output = Output {
            stream: Stream::Stdout,
            at_nanos: chrono::Utc::now()
                .timestamp_nanos_opt()
                .expect("a time of ours"),
            bytes: lines.collect::<String>().into(),
        };
        writer.write(&output).await.expect("the disk has room");
        tokio::time::sleep(PAUSE).await;
    }
    writer.finish().await.expect("the disk has room");
    Instant::now()
}

/// The processor time that this process took.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = after_name.split(' ').skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|word| word.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

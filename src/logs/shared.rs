//! Frames read once for all who follow the same log.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::{
    sync::{OnceCell, watch},
    time::Instant,
};

use crate::ports::{Frame, FrameIndex, FrameStore, LogKey, LogSummary, StoreError};

/// How long an answer about a growing log is good: many followers, one look.
pub const FRESH: Duration = Duration::from_millis(40);
/// Frames kept unpacked from disk; each is 1 MiB at most.
const FRAMES: usize = 64;
/// Answers about growing logs that are kept.
const ANSWERS: usize = 4096;

/// A frame store whose readers share what they read.
pub struct SharedFrames {
    store: Arc<dyn FrameStore>,
    frames: Shared<(LogKey, u64), Bytes>,
    indexes: Shared<(LogKey, u64, u32), Vec<FrameIndex>>,
    logs: Shared<String, Vec<LogSummary>>,
}

impl SharedFrames {
    /// Shares what is read from a store.
    pub fn new(store: Arc<dyn FrameStore>) -> Self {
        Self {
            store,
            // A frame never changes; what is old leaves when there is no room.
            frames: Shared::new(Duration::MAX, FRAMES),
            indexes: Shared::new(FRESH, ANSWERS),
            logs: Shared::new(FRESH, ANSWERS),
        }
    }
}

#[async_trait]
impl FrameStore for SharedFrames {
    async fn append(&self, frames: Vec<(LogKey, Frame)>) -> Result<(), StoreError> {
        self.store.append(frames).await
    }

    async fn index(
        &self,
        key: &LogKey,
        first_line: u64,
        limit: u32,
    ) -> Result<Vec<FrameIndex>, StoreError> {
        let asked = (key.clone(), first_line, limit);
        let read = self.store.index(key, first_line, limit);
        self.indexes.get(asked, read).await
    }

    async fn read(&self, key: &LogKey, frame: &FrameIndex) -> Result<Bytes, StoreError> {
        let asked = (key.clone(), frame.first_line);
        self.frames.get(asked, self.store.read(key, frame)).await
    }

    async fn last(&self, key: &LogKey) -> Result<Option<FrameIndex>, StoreError> {
        self.store.last(key).await
    }

    async fn logs(&self, run: &str) -> Result<Vec<LogSummary>, StoreError> {
        self.logs.get(run.to_owned(), self.store.logs(run)).await
    }

    async fn remove(&self, run: &str) -> Result<(), StoreError> {
        self.store.remove(run).await
    }

    fn changes(&self, run: &str) -> watch::Receiver<u64> {
        self.store.changes(run)
    }
}

/// Answers by question; who asks while one is being found waits for that one.
struct Shared<K, V> {
    fresh: Duration,
    room: usize,
    cells: Mutex<HashMap<K, (Instant, Arc<OnceCell<V>>)>>,
}

impl<K: Hash + Eq + Clone, V: Clone> Shared<K, V> {
    fn new(fresh: Duration, room: usize) -> Self {
        let cells = Mutex::default();
        Self { fresh, room, cells }
    }

    async fn get(
        &self,
        key: K,
        find: impl Future<Output = Result<V, StoreError>>,
    ) -> Result<V, StoreError> {
        let cell = self.cell(key);
        cell.get_or_try_init(|| find).await.cloned()
    }

    fn cell(&self, key: K) -> Arc<OnceCell<V>> {
        let now = Instant::now();
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((asked, cell)) = cells.get(&key)
            && now - *asked < self.fresh
        {
            return cell.clone();
        }
        if cells.len() >= self.room {
            let oldest = cells.iter().min_by_key(|(_, (asked, _))| *asked);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                cells.remove(&oldest);
            }
        }
        let cell = Arc::new(OnceCell::new());
        cells.insert(key, (now, cell.clone()));
        cell
    }
}

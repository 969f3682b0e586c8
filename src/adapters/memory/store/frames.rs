//! A store of log frames in memory.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

use super::faults::Faults;
use crate::ports::{Frame, FrameIndex, FrameStore, LogKey, LogSummary, StoreError};

/// Log frames in memory that can be told to fail.
#[derive(Debug, Default)]
pub struct MemoryFrames {
    logs: Mutex<BTreeMap<LogKey, Vec<Stored>>>,
    changes: Mutex<HashMap<String, watch::Sender<u64>>>,
    faults: Faults,
}

#[derive(Debug)]
struct Stored {
    index: FrameIndex,
    data: Bytes,
}

impl MemoryFrames {
    /// Makes an empty store.
    pub fn new() -> MemoryFrames {
        MemoryFrames::default()
    }

    /// Lets the next `count` appends fail, as on a full disk.
    pub fn fail_next_append(&self, count: u32) {
        self.faults.fail_next(count, StoreError::DiskFull);
    }

    /// Lets every append wait until this is called with `false`.
    pub fn stall(&self, stalled: bool) {
        self.faults.stall(stalled);
    }

    /// Forgets all frames of a log from the `keep`th on, as a crash before their storing would.
    pub fn truncate(&self, key: &LogKey, keep: usize) {
        if let Some(log) = self.lock().get_mut(key) {
            log.truncate(keep);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<LogKey, Vec<Stored>>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<u64>>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stored(frame: Frame, offset: u64) -> Stored {
    let length = u32::try_from(frame.data.len()).expect("a frame is about a megabyte at most");
    Stored {
        index: FrameIndex {
            first_line: frame.first_line,
            lines: frame.lines,
            first_at_nanos: frame.first_at_nanos,
            raw_bytes: frame.raw_bytes,
            offset,
            length,
            stdout: frame.stdout,
            stderr: frame.stderr,
        },
        data: frame.data,
    }
}

fn summary(key: &LogKey, log: &[Stored]) -> LogSummary {
    LogSummary {
        key: key.clone(),
        first_at_nanos: log.first().map_or(0, |frame| frame.index.first_at_nanos),
        lines: log.iter().map(|frame| u64::from(frame.index.lines)).sum(),
        raw_bytes: log.iter().map(|f| u64::from(f.index.raw_bytes)).sum(),
    }
}

/// The keys of a run's logs begin here.
fn first_key(run: &str) -> LogKey {
    LogKey {
        run: run.to_owned(),
        generation: 0,
        step: 0,
        attempt: 0,
    }
}

#[async_trait]
impl FrameStore for MemoryFrames {
    async fn append(&self, frames: Vec<(LogKey, Frame)>) -> Result<(), StoreError> {
        self.faults.meet().await?;
        for (key, frame) in frames {
            let run = key.run.clone();
            let mut logs = self.lock();
            let log = logs.entry(key).or_default();
            let end = log
                .last()
                .map_or(0, |last| last.index.offset + u64::from(last.index.length));
            log.push(stored(frame, end));
            drop(logs);
            if let Some(changes) = self.watched().get(&run) {
                changes.send_modify(|count| *count += 1);
            }
        }
        Ok(())
    }

    async fn index(
        &self,
        key: &LogKey,
        first_line: u64,
        limit: u32,
    ) -> Result<Vec<FrameIndex>, StoreError> {
        let logs = self.lock();
        let log = logs.get(key).map(Vec::as_slice).unwrap_or_default();
        let ends_before =
            |frame: &Stored| frame.index.first_line + u64::from(frame.index.lines) <= first_line;
        let from = log.partition_point(ends_before);
        let found = log[from..].iter().take(limit as usize);
        Ok(found.map(|frame| frame.index.clone()).collect())
    }

    async fn read(&self, key: &LogKey, frame: &FrameIndex) -> Result<Bytes, StoreError> {
        let logs = self.lock();
        let log = logs.get(key).map(Vec::as_slice).unwrap_or_default();
        log.binary_search_by_key(&frame.first_line, |stored| stored.index.first_line)
            .map(|at| log[at].data.clone())
            .map_err(|_| StoreError::Database("the frame is gone".to_owned()))
    }

    async fn last(&self, key: &LogKey) -> Result<Option<FrameIndex>, StoreError> {
        let logs = self.lock();
        let last = logs.get(key).and_then(|log| log.last());
        Ok(last.map(|frame| frame.index.clone()))
    }

    async fn logs(&self, run: &str) -> Result<Vec<LogSummary>, StoreError> {
        let logs = self.lock();
        let of_run = logs
            .range(first_key(run)..)
            .take_while(|(key, _)| key.run == run);
        Ok(of_run.map(|(key, log)| summary(key, log)).collect())
    }

    async fn remove(&self, run: &str) -> Result<(), StoreError> {
        self.lock().retain(|key, _| key.run != run);
        self.watched().remove(run);
        Ok(())
    }

    fn changes(&self, run: &str) -> watch::Receiver<u64> {
        let mut watched = self.watched();
        watched.entry(run.to_owned()).or_default().subscribe()
    }
}

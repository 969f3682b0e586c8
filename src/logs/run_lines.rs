//! Reads all logs of a run as one, by generation and time.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
};

use tokio::sync::watch;

use super::{Line, LogError, LogLines, lines::changed};
use crate::ports::{FrameStore, LogKey};

/// Reads the logs of a run merged by time stamp, one generation after the other: the nodes of two may have different clocks. Each log keeps its own order; a log is opened when its first line's
/// time has come and closed after its last, so memory grows with the steps that ran at once, not with the run.
pub struct RunLines {
    store: Arc<dyn FrameStore>,
    run: String,
    logs: BTreeMap<LogKey, Source>,
    /// The logs that have a next line, by generation and its time.
    ready: BinaryHeap<Reverse<(u32, i64, LogKey)>>,
    changes: watch::Receiver<u64>,
}

struct Source {
    lines: LogLines,
    head: Option<Line>,
    /// Stamps of two streams interleave out of order; a log's time never goes back.
    at_nanos: i64,
}

impl RunLines {
    /// Reads from the beginning of the run.
    pub fn new(store: Arc<dyn FrameStore>, run: &str) -> RunLines {
        RunLines {
            changes: store.changes(run),
            store,
            run: run.to_owned(),
            logs: BTreeMap::new(),
            ready: BinaryHeap::new(),
        }
    }

    /// Begins one log at the line of this number; [`u64::MAX`] leaves it out.
    pub fn begin_at(mut self, key: LogKey, line: u64) -> RunLines {
        let source = Source {
            lines: LogLines::from(self.store.clone(), key.clone(), line),
            head: None,
            at_nanos: 0,
        };
        self.logs.insert(key, source);
        self
    }

    /// Reads a line and the log it is from; `None` when nothing more is stored yet.
    pub async fn next(&mut self) -> Result<Option<(LogKey, Line)>, LogError> {
        loop {
            if self.ready.is_empty() {
                self.look_for_more().await?;
            }
            let Some(Reverse((_, _, key))) = self.ready.pop() else {
                return Ok(None);
            };
            if let Some(line) = self.take_line(&key).await? {
                return Ok(Some((key, line)));
            }
        }
    }

    /// Waits until there may be more; to be used as [`LogLines::changed`].
    pub async fn changed(&mut self) {
        changed(&mut self.changes).await;
    }

    /// Takes a log's next line and puts the log back in its place.
    async fn take_line(&mut self, key: &LogKey) -> Result<Option<Line>, LogError> {
        let Some(source) = self.logs.get_mut(key) else {
            return Ok(None);
        };
        let line = match source.head.take() {
            Some(line) => Some(line),
            None => source.lines.next().await?,
        };
        source.head = source.lines.next().await?;
        if let Some(head) = &source.head {
            source.at_nanos = source.at_nanos.max(head.at_nanos);
            let place = (key.generation, source.at_nanos, key.clone());
            self.ready.push(Reverse(place));
        }
        Ok(line)
    }

    /// Makes those logs ready that hold lines not yet read.
    async fn look_for_more(&mut self) -> Result<(), LogError> {
        for log in self.store.logs(&self.run).await? {
            let source = self.logs.entry(log.key.clone()).or_insert_with(|| Source {
                lines: LogLines::from(self.store.clone(), log.key.clone(), 0),
                head: None,
                at_nanos: log.first_at_nanos,
            });
            if source.lines.position() < log.lines {
                let place = (log.key.generation, source.at_nanos, log.key);
                self.ready.push(Reverse(place));
            }
        }
        Ok(())
    }
}

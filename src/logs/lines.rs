//! Reads one log.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};

use super::{Line, LogError, frame::FrameReader};
use crate::ports::{FrameIndex, FrameStore, LogKey};

/// How many index rows are read ahead.
const INDEX_ROWS: u32 = 64;
/// How long a follower sleeps where nobody can tell it that there is more: another process may write the log.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Reads a log from some line on; unpacks one frame at a time.
pub struct LogLines {
    store: Arc<dyn FrameStore>,
    key: LogKey,
    next: u64,
    index: VecDeque<FrameIndex>,
    frame: Option<(u64, FrameReader)>,
    changes: watch::Receiver<u64>,
}

impl LogLines {
    /// Reads from the line of this number on.
    pub fn from(store: Arc<dyn FrameStore>, key: LogKey, line: u64) -> LogLines {
        LogLines {
            changes: store.changes(&key.run),
            store,
            key,
            next: line,
            index: VecDeque::new(),
            frame: None,
        }
    }

    /// Reads the last `count` lines and what comes after them.
    pub async fn tail(
        store: Arc<dyn FrameStore>,
        key: LogKey,
        count: u64,
    ) -> Result<LogLines, LogError> {
        let last = store.last(&key).await?;
        let lines = last.map_or(0, |last| last.first_line + u64::from(last.lines));
        Ok(LogLines::from(store, key, lines.saturating_sub(count)))
    }

    /// The log that is read.
    pub fn key(&self) -> &LogKey {
        &self.key
    }

    /// The number of the line that comes next.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// Reads a line; `None` when nothing more is stored yet.
    pub async fn next(&mut self) -> Result<Option<Line>, LogError> {
        loop {
            if let Some((first_line, frame)) = &mut self.frame {
                let first_line = *first_line;
                let line = frame.next_line();
                if let Some(line) = line.map_err(|reason| damaged(first_line, reason))? {
                    self.next = line.number + 1;
                    return Ok(Some(line));
                }
                self.frame = None;
            }
            if !self.open_frame().await? {
                return Ok(None);
            }
        }
    }

    /// Reads up to `count` lines.
    pub async fn read(&mut self, count: usize) -> Result<Vec<Line>, LogError> {
        let mut lines = Vec::new();
        while lines.len() < count {
            match self.next().await? {
                Some(line) => lines.push(line),
                None => break,
            }
        }
        Ok(lines)
    }

    /// Waits until there may be more. To follow a log: ask whether its attempt has ended, read to `None`, stop if it
    /// had ended, else wait here; in this order no line is missed.
    pub async fn changed(&mut self) {
        changed(&mut self.changes).await;
    }

    /// Unpacks the frame with the next line, if there is one.
    async fn open_frame(&mut self) -> Result<bool, LogError> {
        if self.index.is_empty() {
            let rows = self.store.index(&self.key, self.next, INDEX_ROWS).await?;
            self.index = rows.into();
        }
        let Some(row) = self.index.pop_front() else {
            return Ok(false);
        };
        let data = self.store.read(&self.key, &row).await?;
        let unpacked = FrameReader::unpack(&row, &data).and_then(|mut frame| {
            frame.skip_to(self.next)?;
            Ok(frame)
        });
        let frame = unpacked.map_err(|reason| damaged(row.first_line, reason))?;
        self.frame = Some((row.first_line, frame));
        Ok(true)
    }
}

/// Waits for news of a run's logs, or a little while.
pub(super) async fn changed(changes: &mut watch::Receiver<u64>) {
    tokio::select! {
        Ok(()) = changes.changed() => {}
        () = sleep(LOOK_AGAIN) => {}
    }
}

fn damaged(first_line: u64, reason: String) -> LogError {
    LogError::Damaged { first_line, reason }
}

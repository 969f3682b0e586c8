//! All logs of a run as one, in the order of time.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use super::{
    codec::{Line, Lines},
    reader::frame_lines,
};
use crate::ports::{FrameStore, LogKey, StoreError};

/// A line with where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedLine {
    /// Which log it belongs to.
    pub key: LogKey,
    /// Its number there, from 0.
    pub number: u64,
    /// The line.
    pub line: Line,
}

/// Reads several logs at once, at most one frame of each in memory.
pub struct Merged {
    store: Arc<dyn FrameStore>,
    logs: Vec<Source>,
    /// The next line of each log, earliest first.
    heads: BinaryHeap<Reverse<(i64, usize)>>,
}

/// One of the logs.
struct Source {
    key: LogKey,
    next: u64,
    frame: Option<Lines>,
    head: Option<Line>,
}

impl Merged {
    /// Reads these logs from the given line numbers on.
    pub async fn open(
        store: Arc<dyn FrameStore>,
        logs: Vec<(LogKey, u64)>,
    ) -> Result<Self, StoreError> {
        let mut merged = Self {
            store,
            logs: Vec::with_capacity(logs.len()),
            heads: BinaryHeap::new(),
        };
        for (index, (key, next)) in logs.into_iter().enumerate() {
            merged.logs.push(Source {
                key,
                next,
                frame: None,
                head: None,
            });
            merged.advance(index).await?;
        }
        Ok(merged)
    }

    /// Reads the next line; `None` when all logs are read as far as they go now.
    pub async fn next(&mut self) -> Result<Option<MergedLine>, StoreError> {
        let Some(Reverse((_, index))) = self.heads.pop() else {
            return Ok(None);
        };
        let source = &mut self.logs[index];
        let Some(line) = source.head.take() else {
            return Ok(None);
        };
        let merged = MergedLine {
            key: source.key.clone(),
            number: source.next - 1,
            line,
        };
        self.advance(index).await?;
        Ok(Some(merged))
    }

    /// Where each log was read to, to go on from there later.
    pub fn positions(&self) -> Vec<(LogKey, u64)> {
        self.logs
            .iter()
            .map(|it| (it.key.clone(), it.next - u64::from(it.head.is_some())))
            .collect()
    }

    async fn advance(&mut self, index: usize) -> Result<(), StoreError> {
        let source = &mut self.logs[index];
        loop {
            if let Some(line) = source.frame.as_mut().and_then(Iterator::next) {
                let line = line?;
                self.heads.push(Reverse((line.at_nanos, index)));
                source.head = Some(line);
                source.next += 1;
                return Ok(());
            }
            let found = self.store.index(&source.key, source.next, 1).await?;
            let Some(frame) = found.first() else {
                return Ok(());
            };
            let mut lines = frame_lines(self.store.as_ref(), &source.key, frame).await?;
            for _ in frame.first_line..source.next {
                lines.next();
            }
            source.frame = Some(lines);
        }
    }
}

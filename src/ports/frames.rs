//! Where compressed log frames are kept.

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

use super::StoreError;

/// Names one log: that of a step's attempt in a generation of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogKey {
    /// The run.
    pub run: String,
    /// Its generation, from 1.
    pub generation: u32,
    /// The step's index in the plan.
    pub step: u32,
    /// The attempt, from 1.
    pub attempt: u32,
}

/// Where one stream of a log has come to: its last time stamp, and how many of its bytes bear it.
///
/// Bytes, not lines: a long line comes in pieces with stamps of their own, and may be stored in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The stamp, in nanoseconds since 1970; 0 is before the beginning.
    pub at_nanos: i64,
    /// The bytes bearing it so far, line ends included.
    pub bytes: u64,
}

/// A frame to store: some lines, compressed on their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The number of its first line, from 0.
    pub first_line: u64,
    /// How many lines it holds.
    pub lines: u32,
    /// The time stamp of its first line.
    pub first_at_nanos: i64,
    /// Size before compression, in bytes.
    pub raw_bytes: u32,
    /// The compressed bytes.
    pub data: Bytes,
    /// Where standard output has come to at its end.
    pub stdout: Cursor,
    /// Where standard error has come to at its end.
    pub stderr: Cursor,
}

/// What is known of a stored frame without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameIndex {
    /// The number of its first line, from 0.
    pub first_line: u64,
    /// How many lines it holds.
    pub lines: u32,
    /// The time stamp of its first line.
    pub first_at_nanos: i64,
    /// Size before compression, in bytes.
    pub raw_bytes: u32,
    /// Where its bytes stand in the log's file.
    pub offset: u64,
    /// How many bytes they are.
    pub length: u32,
    /// Where standard output has come to at its end.
    pub stdout: Cursor,
    /// Where standard error has come to at its end.
    pub stderr: Cursor,
}

/// What is known of a log as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSummary {
    /// Which log it is.
    pub key: LogKey,
    /// The time stamp of its first line.
    pub first_at_nanos: i64,
    /// How many lines are stored.
    pub lines: u64,
    /// Their size before compression, in bytes.
    pub raw_bytes: u64,
}

/// Keeps log frames. One writer per log; any number of readers.
#[async_trait]
pub trait FrameStore: Send + Sync {
    /// Adds frames at the end of their logs; when this returns, every reader sees them.
    async fn append(&self, frames: Vec<(LogKey, Frame)>) -> Result<(), StoreError>;
    /// Lists the frames of a log that hold a line from `first_line` on, at most `limit`, in order.
    async fn index(
        &self,
        key: &LogKey,
        first_line: u64,
        limit: u32,
    ) -> Result<Vec<FrameIndex>, StoreError>;
    /// Reads the bytes of a frame.
    async fn read(&self, key: &LogKey, frame: &FrameIndex) -> Result<Bytes, StoreError>;
    /// Finds the last frame of a log, to go on writing after a crash.
    async fn last(&self, key: &LogKey) -> Result<Option<FrameIndex>, StoreError>;
    /// Lists the logs of a run that hold anything, by their keys.
    async fn logs(&self, run: &str) -> Result<Vec<LogSummary>, StoreError>;
    /// Removes all logs of a run.
    async fn remove(&self, run: &str) -> Result<(), StoreError>;
    /// Watches for "there is more" on a run's logs, as far as this process can tell.
    fn changes(&self, run: &str) -> watch::Receiver<u64>;
}

/// Keeps the index of frames whose bytes stand in files elsewhere.
#[async_trait]
pub trait FrameIndexStore: Send + Sync {
    /// Adds rows; refuses a frame that begins with a line which another begins with.
    async fn insert_frames(&self, frames: &[(LogKey, FrameIndex)]) -> Result<(), StoreError>;
    /// Lists the frames of a log that hold a line from `first_line` on, at most `limit`, in order.
    async fn frames(
        &self,
        key: &LogKey,
        first_line: u64,
        limit: u32,
    ) -> Result<Vec<FrameIndex>, StoreError>;
    /// Finds the last frame of a log.
    async fn last_frame(&self, key: &LogKey) -> Result<Option<FrameIndex>, StoreError>;
    /// Lists the logs of a run that hold anything, by their keys.
    async fn run_logs(&self, run: &str) -> Result<Vec<LogSummary>, StoreError>;
    /// Removes the rows of a run.
    async fn remove_frames(&self, run: &str) -> Result<(), StoreError>;
}

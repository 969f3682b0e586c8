//! What a runner tells whoever watches the run live.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::{
    engine::{Event, RunState},
    ports::{Progress, Stream},
};

/// A change that has been recorded: one transaction.
pub struct Change<'a> {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What happened, in order.
    pub events: &'a [Event],
    /// The steps that stand differently now.
    pub touched: &'a BTreeSet<u32>,
    /// The state after it.
    pub state: &'a RunState,
}

/// A line of a step's log, masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The step.
    pub step: u32,
    /// Where it was written.
    pub stream: Stream,
    /// The text, without its line end.
    pub text: Bytes,
}

/// Watches a run; all calls return at once.
pub trait Watcher: Send + Sync {
    /// Something happened and is recorded.
    fn changed(&self, change: &Change<'_>);
    /// A step wrote a line.
    fn line(&self, line: LogLine);
    /// A step's pull, push or build has come this far.
    fn progress(&self, step: u32, progress: Progress);
    /// Something worth knowing that belongs to no step.
    fn note(&self, text: &str);
}

/// Watches nothing.
impl Watcher for () {
    fn changed(&self, _: &Change<'_>) {}
    fn line(&self, _: LogLine) {}
    fn progress(&self, _: u32, _: Progress) {}
    fn note(&self, _: &str) {}
}

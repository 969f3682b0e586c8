//! Where runs are recorded.
//!
//! A run is its events; the rows of runs, steps and attempts are summaries written in the same transaction. Whoever
//! writes names its lease: when the run has another, nothing is written.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ObjectError, Placement, Sealed, Starter, Trigger};
use crate::engine::{RunStatus, StepStatus};

/// A run to queue.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// The run's id; unique.
    pub id: String,
    /// What it is called in lists: the task's name, or the file or command of a quick run.
    pub name: String,
    /// Why it was started, in words.
    pub cause: String,
    /// What started it, when it was no person.
    pub trigger: Option<Trigger>,
    /// The request as asked, with no secret in it.
    pub request: Value,
    /// Names and sealed values of the request's secrets.
    pub secrets: Vec<(String, Sealed)>,
    /// The run it repeats, if any.
    pub rerun_of: Option<String>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
}

/// The summary of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    /// The run's id.
    pub id: String,
    /// What it is called in lists.
    pub name: String,
    /// Why it was started, in words.
    pub cause: String,
    /// What started it, when it was no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// Its status.
    pub status: RunStatus,
    /// Why it ended so, in words.
    pub reason: Option<String>,
    /// The request as asked, with no secret in it.
    pub request: Value,
    /// What preparing found: text and hash of the file, context, values; `null` before.
    pub prepared: Value,
    /// The generation, from 1.
    pub generation: u32,
    /// The run it repeats, if any.
    pub rerun_of: Option<String>,
    /// Where it waits for a worker; `None` for a run that its client drives itself.
    pub placement: Option<Placement>,
    /// The worker or process that holds it, or held it last.
    pub owner: Option<String>,
    /// Until when that one holds it unless it says again that it lives, by the store's clock; `None` once nobody does.
    #[serde(skip)]
    pub held_until: Option<DateTime<Utc>>,
    /// Why it is to be stopped, once someone asked for that.
    pub cancel_reason: Option<String>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// When its worker began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How many steps it has.
    pub steps: u32,
    /// How many of them have ended.
    pub steps_ended: u32,
}

/// The summary of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRow {
    /// Its position in the file, from 0.
    pub step: u32,
    /// Its id.
    pub id: String,
    /// `cmd`, `build` or `push`.
    pub kind: String,
    /// Its status.
    pub status: StepStatus,
    /// Whether its ending was ignored, as `ignoreErrors` asks.
    pub ignored: bool,
    /// How many attempts were made.
    pub attempts: u32,
    /// The exit code of its last attempt.
    pub exit_code: Option<i64>,
    /// Why it ended so, or why it waits, in words.
    pub reason: Option<String>,
    /// When its first attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// What it used and made: images with ids and digests.
    pub images: Value,
}

/// The summary of one attempt of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptRow {
    /// The step's position in the file, from 0.
    pub step: u32,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The container's id, if one was started.
    pub container: Option<String>,
    /// How it ended; `None` while it runs.
    pub outcome: Option<String>,
    /// The exit code.
    pub exit_code: Option<i64>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// An event as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedEvent {
    /// Its number in the run's generation, from 1, without gaps.
    pub seq: u64,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// What kind it is, such as `exited`.
    pub kind: String,
    /// The event itself.
    pub body: Value,
}

/// What one transaction of a worker writes.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// New events, numbered on from the last.
    pub events: Vec<RecordedEvent>,
    /// The run's new summary, if it changed: status, reason, times and counts; the rest of the row is not written.
    pub run: Option<RunRow>,
    /// What preparing found, in the one batch that brings it.
    pub prepared: Option<Value>,
    /// Steps that changed.
    pub steps: Vec<StepRow>,
    /// Attempts that changed.
    pub attempts: Vec<AttemptRow>,
}

/// A time-limited claim on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run: String,
    /// The generation that may be written.
    pub generation: u32,
    /// Who holds it.
    pub owner: String,
    /// The fencing token; each new lease of a run has a higher one.
    pub token: u64,
    /// How long it lasts from a renewal.
    pub time: Duration,
}

/// Which runs to list.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only runs with this status.
    pub status: Option<RunStatus>,
    /// Only runs of this name.
    pub name: Option<String>,
    /// Only runs of this stored task.
    pub task: Option<String>,
    /// Only runs placed in this pool.
    pub pool: Option<String>,
    /// Only runs of this concurrency group.
    pub group: Option<String>,
    /// Only runs that this started.
    pub starter: Option<Starter>,
    /// Only runs of this branch, as it was asked for or found out.
    pub branch: Option<String>,
    /// Only runs that used or made an image with this in its name or digest, whatever its case.
    pub image: Option<String>,
    /// Only runs whose id, name or cause contains this, whatever its case.
    pub contains: Option<String>,
    /// Only runs that have not ended.
    pub unfinished: bool,
    /// Only runs that their clients drive themselves.
    pub local: bool,
    /// Only runs older than this one, for the next page.
    pub before: Option<String>,
    /// At most so many; 0 is no limit.
    pub limit: u32,
}

/// Why the store could not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another worker has the run now.
    #[error("the lease on run {0} is lost")]
    LeaseLost(String),
    /// Another worker holds the run.
    #[error("run {run} is held by {owner}")]
    Held {
        /// The run.
        run: String,
        /// Who holds it.
        owner: String,
    },
    /// There is no such run.
    #[error("there is no run {0}")]
    NoSuchRun(String),
    /// More than one run can be meant.
    #[error("{0} can mean more than one run; write more of the id")]
    Ambiguous(String),
    /// The id is taken.
    #[error("the run id {0} is taken")]
    IdTaken(String),
    /// A run with the same cause is there.
    #[error("run {0} was started by the same cause")]
    CauseTaken(String),
    /// An event's number does not follow the last one's.
    #[error("event {found} of run {run} cannot be recorded where event {expected} is due")]
    OutOfOrder {
        /// The run.
        run: String,
        /// The number that is due.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// The disk is full.
    #[error("no space left for the database")]
    DiskFull,
    /// The database was made by a newer careen.
    #[error("the database at {0} was written by a newer careen; update this one")]
    TooNew(String),
    /// The database did not answer, or went away in the middle: whether it did what it was asked is not known.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The database does not let us in.
    #[error("the database at {place} refuses the user {user}: {reason}")]
    Refused {
        /// Host, port and name of the database.
        place: String,
        /// Who asked.
        user: String,
        /// What the database says.
        reason: String,
    },
    /// What is kept beside the database could not be put there or had.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// Anything else, in the database's words.
    #[error("the database failed: {0}")]
    Database(String),
}

impl RunRow {
    /// The row as lists give it: without what was asked and what preparing found.
    pub fn without_texts(&self) -> RunRow {
        RunRow {
            request: Value::Null,
            prepared: Value::Null,
            ..self.clone()
        }
    }
}

/// How people name a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunWord<'a> {
    /// `latest` is the newest run, `latest~2` the second before it.
    Latest(u32),
    /// A whole id, or as much of its beginning as no other run shares.
    Prefix(&'a str),
}

impl<'a> RunWord<'a> {
    /// Reads the word as typed.
    pub fn parse(word: &'a str) -> RunWord<'a> {
        let back = match word.strip_prefix("latest") {
            Some("") => Some(0),
            Some(rest) => rest.strip_prefix('~').and_then(|n| n.parse().ok()),
            None => None,
        };
        back.map_or(RunWord::Prefix(word), RunWord::Latest)
    }
}

impl Batch {
    /// Checks that the events are numbered without gaps from `expected` on.
    pub fn check_order(&self, run: &str, expected: u64) -> Result<(), StoreError> {
        for (event, expected) in self.events.iter().zip(expected..) {
            if event.seq != expected {
                let (run, found) = (run.to_owned(), event.seq);
                return Err(StoreError::OutOfOrder {
                    run,
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }
}

/// Keeps runs.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// The random id made with the database; it is part of every name on an engine.
    fn store_id(&self) -> &str;
    /// Says whether processes of other machines may use it: then a lock file tells nothing of who lives.
    fn is_shared(&self) -> bool {
        false
    }
    /// Records a queued run with its sealed secrets.
    async fn create_run(&self, run: &NewRun) -> Result<(), StoreError>;
    /// Claims a run that nobody holds, or whose lease has run out (`force`: in any case, for a holder known dead).
    /// The store's clock alone decides; a caller who wants a grace adds it to `time`.
    async fn lease_run(
        &self,
        run: &str,
        owner: &str,
        time: Duration,
        force: bool,
    ) -> Result<Lease, StoreError>;
    /// Prolongs a lease.
    async fn renew(&self, lease: &Lease, time: Duration) -> Result<(), StoreError>;
    /// Gives a lease back.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;
    /// Writes a batch in one transaction, if the lease still holds. A batch that ends the run also lets the lease
    /// run out, but its holder may write on until another takes the run.
    async fn record(&self, lease: &Lease, batch: &Batch) -> Result<(), StoreError>;
    /// Reads the events of a generation, in order.
    async fn events(&self, run: &str, generation: u32) -> Result<Vec<RecordedEvent>, StoreError>;
    /// Reads the sealed secrets of a run.
    async fn secrets(&self, run: &str) -> Result<Vec<(String, Sealed)>, StoreError>;
    /// Reads one run.
    async fn run(&self, run: &str) -> Result<RunRow, StoreError>;
    /// Finds the id of the run that a person means.
    async fn find(&self, word: &str) -> Result<String, StoreError>;
    /// Forgets a run and everything recorded of it, whoever holds it.
    async fn delete_run(&self, run: &str) -> Result<(), StoreError>;
    /// Lists runs, newest first, without what was asked and what preparing found.
    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError>;
    /// Reads the steps of a run's present generation, in file order.
    async fn steps(&self, run: &str) -> Result<Vec<StepRow>, StoreError>;
    /// Reads the attempts of a run's present generation, by step and number.
    async fn attempts(&self, run: &str) -> Result<Vec<AttemptRow>, StoreError>;
}

//! Where timers wait for their time.
//!
//! A timer's next time moves in the same transaction that queues its run, so an occurrence starts one run however many
//! servers there are. A server that has claimed a timer and dies loses nothing: the claim lapses, another server fires.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Enqueued, NewRun, Placement, StoreError};

/// A timer that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Timer {
    /// The task that it starts.
    pub task: String,
    /// Its name; unique in the task.
    pub name: String,
    /// The version of the task that it was read from.
    pub version: u32,
    /// When it fires next, by its schedule.
    pub next_at: DateTime<Utc>,
    /// When that run is queued: the same, and its jitter.
    pub due_at: DateTime<Utc>,
    /// Why its run could not be queued, if it is being tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A timer to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTimer {
    /// Its name.
    pub name: String,
    /// What the task says of it: as long as that is the same, its next time stays.
    pub spec: String,
    /// When it fires next.
    pub next_at: DateTime<Utc>,
    /// When that run is queued.
    pub due_at: DateTime<Utc>,
}

/// What was decided about one time of a timer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Occurrence {
    /// The task.
    pub task: String,
    /// The timer.
    pub timer: String,
    /// The time by its schedule.
    pub at: DateTime<Utc>,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// The run that it started, if it did.
    pub run: Option<String>,
    /// Why, in words.
    pub reason: String,
}

/// A run that an occurrence starts.
#[derive(Debug, Clone)]
pub struct TimedRun {
    /// The time by the timer's schedule.
    pub at: DateTime<Utc>,
    /// The run; its cause key is that of the occurrence.
    pub run: NewRun,
    /// Where it waits.
    pub place: Placement,
}

/// What a timer whose time has come does, in one transaction.
#[derive(Debug, Clone)]
pub struct Firing {
    /// The timer as it was claimed.
    pub timer: Timer,
    /// The runs that it starts.
    pub runs: Vec<TimedRun>,
    /// The first of the times that are passed over, and why.
    pub passed: Option<(DateTime<Utc>, String)>,
    /// Its next time, and when that is due; `None` if it never fires again.
    pub next: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// When this was decided.
    pub decided_at: DateTime<Utc>,
}

/// Keeps timers. Filled by the same adapters as [`super::Queue`], over the same runs.
#[async_trait]
pub trait Timers: Send + Sync {
    /// Makes these the timers of a task, unless a newer version of it has been here.
    async fn put_timers(
        &self,
        task: &str,
        version: u32,
        timers: &[NewTimer],
    ) -> Result<(), StoreError>;
    /// Lists the timers of a task, or of all, by task and name.
    async fn timers(&self, task: Option<&str>) -> Result<Vec<Timer>, StoreError>;
    /// Claims timers that are due, the longest overdue first; nobody else gets them until `held_until`.
    async fn claim_timers(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Timer>, StoreError>;
    /// Queues runs and moves their timers on, all in one transaction. A timer that has been moved by another, changed
    /// or taken away meanwhile stays as it is and starts nothing: then there is no answer for it.
    async fn fire(&self, firings: &[Firing]) -> Result<Vec<Option<Vec<Enqueued>>>, StoreError>;
    /// Lets a timer whose run could not be queued rest until then, and says why.
    async fn postpone_timer(
        &self,
        timer: &Timer,
        until: DateTime<Utc>,
        problem: &str,
    ) -> Result<(), StoreError>;
    /// Lists what was decided about a task's timers, latest first.
    async fn occurrences(&self, task: &str, limit: u32) -> Result<Vec<Occurrence>, StoreError>;
}

impl Firing {
    /// What is to be recorded of it, once its runs are queued.
    pub fn occurrences(&self, queued: &[Enqueued]) -> Vec<Occurrence> {
        let occurrence = |at, run, reason| Occurrence {
            task: self.timer.task.clone(),
            timer: self.timer.name.clone(),
            at,
            decided_at: self.decided_at,
            run,
            reason,
        };
        let passed = self.passed.iter();
        let passed = passed.map(|(at, reason)| occurrence(*at, None, reason.clone()));
        let started = self.runs.iter().zip(queued).map(|(timed, queued)| {
            let (run, reason) = match queued {
                Enqueued::Waiting { .. } => (&timed.run.id, "its time came".to_owned()),
                Enqueued::Skipped { by } => (
                    &timed.run.id,
                    format!("its time came, while run {by} of its group had not ended"),
                ),
                Enqueued::Known { run } => (run, "it had started this run already".to_owned()),
            };
            occurrence(timed.at, Some(run.clone()), reason)
        });
        passed.chain(started).collect()
    }
}

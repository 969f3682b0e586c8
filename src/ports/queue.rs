//! How runs wait for workers, and how workers take them.
//!
//! A run that is placed in a pool waits there until a worker of that pool claims it; a run without a place belongs to
//! the process that recorded it, and no worker ever takes it. Who holds what is decided by the store's clock alone.

use std::{fmt, str::FromStr, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{Capacity, Lease, Needs, NewRun, RunRow, StoreError};
use crate::{engine::RunStatus, tasks::bucket};

/// Where and how a run waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The pool whose workers may take it.
    pub pool: String,
    /// Higher ones go first; 0 is usual.
    pub priority: i32,
    /// The stored task it is a run of, if any.
    pub task: Option<String>,
    /// The concurrency group, of which one run is under way at a time.
    pub group: Option<Group>,
    /// What to do when its worker is lost and no other can re-attach to its containers.
    pub on_worker_loss: OnWorkerLoss,
    /// What it demands of its worker.
    #[serde(default)]
    pub needs: Needs,
}

/// The pool of runs and workers that name none.
pub const DEFAULT_POOL: &str = "default";

/// Among so many first runs of a line a worker looks for one that is at home with it.
pub const NEAR: usize = 64;

impl Placement {
    /// The bucket of its task, which says with which worker it is at home.
    pub fn bucket(&self) -> Option<u8> {
        self.task.as_deref().map(bucket)
    }
}

impl Default for Placement {
    fn default() -> Self {
        Placement {
            pool: DEFAULT_POOL.to_owned(),
            priority: 0,
            task: None,
            group: None,
            on_worker_loss: OnWorkerLoss::default(),
            needs: Needs::default(),
        }
    }
}

/// A run's membership in a concurrency group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The group.
    pub name: String,
    /// What happens when another run of the group has not ended.
    pub policy: GroupPolicy,
}

/// What happens to a new run while another of its group has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupPolicy {
    /// The new run waits.
    Queue,
    /// All others are canceled, and the new run waits for them to end.
    CancelSuperseded,
    /// The new run is recorded as canceled and does not begin.
    Skip,
}

/// What happens to a run whose worker is lost together with its engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnWorkerLoss {
    /// The run ends *errored*.
    Error,
    /// The run goes back to the queue as its next generation and begins anew, once.
    #[default]
    Retry,
}

/// What became of a run that was to be queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enqueued {
    /// It waits for a worker; these runs were asked to stop in its favor.
    Waiting {
        /// The superseded runs.
        superseded: Vec<String>,
    },
    /// It ended as canceled, because this run of its group has not ended.
    Skipped {
        /// The run that is in its way.
        by: String,
    },
    /// Nothing was recorded, because its cause has started this run already.
    Known {
        /// The run that the cause started.
        run: String,
    },
}

/// A worker's wish for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The worker's name.
    pub worker: String,
    /// The engine it runs containers on.
    pub engine: String,
    /// The pool it serves.
    pub pool: String,
    /// How long the lease lasts without a renewal.
    pub time: Duration,
    /// What it has left: it takes no run that demands more.
    pub left: Capacity,
    /// The buckets of tasks that are at home with it: of the first runs of equal priority it takes one of these.
    pub homes: Vec<u8>,
}

/// A run out of the queue, given to a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The claim on it.
    pub lease: Lease,
    /// The run as it was claimed, long texts included, so that its worker need not ask for it.
    pub run: RunRow,
}

impl Claimed {
    /// What it demands of the worker.
    pub fn needs(&self) -> Needs {
        let place = self.run.placement.as_ref();
        place.map(|place| place.needs.clone()).unwrap_or_default()
    }
}

/// A run taken over from a worker that let its lease run out or handed the run over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenOver {
    /// The claim on it, with a higher token than any before.
    pub lease: Lease,
    /// What it demands of the worker.
    pub needs: Needs,
    /// The engine that has the run's containers.
    pub engine: String,
    /// What to do when that is another engine than the worker's.
    pub on_worker_loss: OnWorkerLoss,
}

/// What a wish to cancel led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellation {
    /// The run was still waiting; it has ended now.
    Ended,
    /// Whoever drives the run was told.
    Requested,
    /// The run had ended before.
    TooLate(RunStatus),
}

/// A wish to cancel that the holder of the run has to heed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelRequest {
    /// The run.
    pub run: String,
    /// Who or why, in words.
    pub reason: String,
}

/// Where a run stands in its queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// How many runs of its pool go before it.
    pub ahead: u64,
    /// Why it waits, in words; empty when only a worker is missing.
    pub waits_for: Vec<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ahead {
            0 => f.write_str("next in its queue")?,
            1 => f.write_str("1 run ahead")?,
            ahead => write!(f, "{ahead} runs ahead")?,
        }
        match self.waits_for.is_empty() {
            true if self.ahead == 0 => f.write_str("; waits for a free worker"),
            true => Ok(()),
            false => write!(f, "; {}", self.waits_for.join("; ")),
        }
    }
}

/// What a limit counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitScope {
    /// All runs of workers.
    Global,
    /// The runs of a pool.
    Pool(String),
    /// The runs of a stored task.
    Task(String),
    /// The runs of a concurrency group.
    Group(String),
}

/// A limit on how many runs are under way at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LimitRow {
    /// What it counts, in the words of the database.
    pub scope: String,
    /// How many may be under way.
    pub allowed: u32,
    /// How many are.
    pub used: u32,
    /// How many runs wait for it.
    pub waiting: u32,
}

/// How full a pool's queue is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueDepth {
    /// The pool.
    pub pool: String,
    /// Runs that wait.
    pub waiting: u64,
    /// When the one that has waited longest was queued.
    pub oldest: Option<DateTime<Utc>>,
}

/// How many unfinished runs have a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusCount {
    /// The status.
    pub status: RunStatus,
    /// Runs that have it.
    pub runs: u64,
    /// Those of them that somebody holds.
    pub held: u64,
    /// When the first of them was queued.
    pub oldest: DateTime<Utc>,
}

impl LimitScope {
    /// The limits that a run of this placement may come under, in the order in which they are taken.
    pub fn of(place: &Placement) -> Vec<LimitScope> {
        let mut scopes = vec![LimitScope::Global, LimitScope::Pool(place.pool.clone())];
        scopes.extend(place.task.clone().map(LimitScope::Task));
        let group = place.group.as_ref().map(|group| group.name.clone());
        scopes.extend(group.map(LimitScope::Group));
        scopes
    }

    /// Says in words that so many runs are as many as this limit allows.
    pub fn reason(&self, used: u32, allowed: u32) -> String {
        match self {
            LimitScope::Global => format!("{used} of at most {allowed} runs are under way"),
            LimitScope::Pool(pool) => {
                format!("{used} of at most {allowed} runs of pool {pool} are under way")
            }
            LimitScope::Task(task) => {
                format!("{used} of at most {allowed} runs of task {task} are under way")
            }
            LimitScope::Group(group) => {
                format!("another run of the concurrency group {group} is under way")
            }
        }
    }
}

impl fmt::Display for LimitScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LimitScope::Global => f.write_str("global"),
            LimitScope::Pool(pool) => write!(f, "pool:{pool}"),
            LimitScope::Task(task) => write!(f, "task:{task}"),
            LimitScope::Group(group) => write!(f, "group:{group}"),
        }
    }
}

impl FromStr for LimitScope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "global" => Ok(LimitScope::Global),
            Some(("pool", name)) => Ok(LimitScope::Pool(name.to_owned())),
            Some(("task", name)) => Ok(LimitScope::Task(name.to_owned())),
            Some(("group", name)) => Ok(LimitScope::Group(name.to_owned())),
            _ => Err(format!("{text:?} is no limit")),
        }
    }
}

macro_rules! words {
    ($name:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $name {
            /// The word used in the database, the API and the command line.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok($name::$variant),)+
                    _ => Err(format!("{text:?} is none of: {}", [$($word),+].join(", "))),
                }
            }
        }
    };
}

words!(GroupPolicy {
    Queue => "queue",
    CancelSuperseded => "cancel-superseded",
    Skip => "skip",
});

words!(OnWorkerLoss {
    Error => "error",
    Retry => "retry",
});

/// Keeps the queues. Filled by the same adapters as [`super::RunStore`], over the same runs.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Records a run and lets it wait in its pool; in one transaction with what its concurrency group asks for.
    async fn enqueue(&self, run: &NewRun, place: &Placement) -> Result<Enqueued, StoreError>;
    /// Takes the first run of the pool that fits the worker and that no limit holds back, or of the next few of equal
    /// priority one that is at home with it; none for a worker that is to drain. Its cost does not depend on how many wait.
    async fn claim(&self, claim: &Claim) -> Result<Option<Claimed>, StoreError>;
    /// Takes a run of the pool whose lease ran out at least `grace` ago, twice that for one on another engine.
    async fn take_over(
        &self,
        claim: &Claim,
        grace: Duration,
    ) -> Result<Option<TakenOver>, StoreError>;
    /// Takes all runs that an earlier process of this very worker, known dead, still holds on this engine.
    async fn reclaim(&self, claim: &Claim) -> Result<Vec<TakenOver>, StoreError>;
    /// Gives an unfinished run up in favor of another worker on the same engine, which need not wait for `grace`.
    async fn hand_over(&self, lease: &Lease, grace: Duration) -> Result<(), StoreError>;
    /// Ends the run's generation and lets it wait again as the next one.
    async fn requeue(&self, lease: &Lease) -> Result<(), StoreError>;
    /// Ends a run that waits, and asks the holder of any other to stop.
    async fn cancel(&self, run: &str, reason: &str) -> Result<Cancellation, StoreError>;
    /// Lists the wishes to cancel runs that this worker or process holds.
    async fn cancel_requests(&self, owner: &str) -> Result<Vec<CancelRequest>, StoreError>;
    /// Says where a run stands in its queue; `None` when it does not wait.
    async fn place(&self, run: &str) -> Result<Option<Place>, StoreError>;
    /// Lists the first so many runs that wait in a pool, in the order in which they go; those held back by limits keep
    /// their places, those that wait for a person have none.
    async fn line(&self, pool: &str, limit: u32) -> Result<Vec<RunRow>, StoreError>;
    /// Sets how many runs may be under way at once, or takes the limit away.
    async fn set_limit(&self, scope: &LimitScope, allowed: Option<u32>) -> Result<(), StoreError>;
    /// Lists the limits that are set, concurrency groups included.
    async fn limits(&self) -> Result<Vec<LimitRow>, StoreError>;
    /// Says how full each pool's queue is.
    async fn depths(&self) -> Result<Vec<QueueDepth>, StoreError>;
    /// Counts the runs that have not ended, by status, local ones included; a status that none has is left out.
    async fn unfinished(&self) -> Result<Vec<StatusCount>, StoreError>;
    /// Takes ends of placed runs that nobody tells just now, up to so many. Each comes again after `hold`, unless it is
    /// forgotten by then.
    async fn take_ends(&self, hold: Duration, limit: u32) -> Result<Vec<String>, StoreError>;
    /// Forgets the end of a run: all who wanted to know have been told.
    async fn forget_end(&self, run: &str) -> Result<(), StoreError>;
    /// Counts the ends that have not been told.
    async fn untold_ends(&self) -> Result<u64, StoreError>;
    /// Changes whenever there may be something to claim or to cancel. It only saves time: whoever needs to be right
    /// also looks now and then.
    fn wake_ups(&self) -> watch::Receiver<u64>;
}

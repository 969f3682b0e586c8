//! What is known of the fleet, and the rollouts over it.
//!
//! Entries are numbered in the order in which they were learned and never changed, so whoever has read up to a number
//! goes on from there; those that say nothing any more may go. The end of a run waits until it has been learned from, and is taken away in the transaction that
//! adds what it taught: neither a crash nor a second reader loses or doubles it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Pin, StoreError};
use crate::fleet::{Fact, Made, RolloutState};

/// Something known of the fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FleetEntry {
    /// What a task makes.
    Task(TaskEntry),
    /// What was built, or seen.
    Fact(Fact),
}

/// Something known of a task as such.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task_entry", rename_all = "snake_case")]
pub enum TaskEntry {
    /// It makes this.
    Makes(TaskMakes),
    /// It is gone, or disabled.
    Gone {
        /// The task.
        task: String,
    },
    /// A good run of it took so long.
    Took {
        /// The task.
        task: String,
        /// How long, in seconds.
        seconds: u64,
    },
}

/// What a task makes, and from which source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskMakes {
    /// The task.
    pub task: String,
    /// Its builds, in the order of its steps.
    pub builds: Vec<Made>,
    /// What its context was when it last built what counts; without one, the context is as it is then.
    pub pin: Option<Pin>,
    /// The run that told; `None` where the task's own files do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// An entry with its number.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedEntry {
    /// Later ones are higher.
    pub number: i64,
    /// The entry.
    pub entry: FleetEntry,
}

/// Tasks that are brought up to date together, within limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RolloutRow {
    /// Its id; unique.
    pub id: String,
    /// The images whose move it follows; without any it is about everything that is stale.
    #[serde(default)]
    pub bases: Vec<String>,
    /// The tasks, as far as they are known.
    #[serde(default)]
    pub tasks: BTreeSet<String>,
    /// How many of them may be built at once; no limit without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<u32>,
    /// The task that must succeed before another is begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<String>,
    /// Whether it goes on.
    #[schema(value_type = String)]
    pub state: RolloutState,
    /// How often what had failed was to be tried again.
    #[serde(default)]
    pub epoch: u32,
    /// Who asked for it.
    pub by: String,
    /// When it begins anew, as five fields and a time zone; `None` for one that goes once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<RolloutSchedule>,
    /// The scheduled rollout that began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_by: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// What is to be said of its state, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Rises with every change; who writes names the one that was read.
    pub version: u64,
}

/// When a rollout begins anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RolloutSchedule {
    /// Minute, hour, day, month and weekday.
    pub cron: String,
    /// The time zone; UTC unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// When it begins next.
    pub next_at: DateTime<Utc>,
}

/// Keeps what is known of the fleet. Filled by the same adapters as [`super::Queue`], over the same runs.
#[async_trait]
pub trait FleetStore: Send + Sync {
    /// Adds entries in one transaction; those that are known once and are there already are left out.
    async fn add_entries(&self, entries: &[FleetEntry]) -> Result<(), StoreError>;
    /// Reads entries after a number, in order, at most so many.
    async fn entries_after(
        &self,
        number: i64,
        limit: u32,
    ) -> Result<Vec<NumberedEntry>, StoreError>;
    /// Forgets entries by their numbers, which are never given again; says how many were there.
    async fn forget_entries(&self, numbers: &[i64]) -> Result<u64, StoreError>;
    /// Says which of these runs the store has no more.
    async fn runs_gone(&self, runs: &[String]) -> Result<Vec<String>, StoreError>;
    /// Lists ended runs that have not been learned from.
    async fn unlearned_ends(&self, limit: u32) -> Result<Vec<String>, StoreError>;
    /// Adds what the end of a run taught, unless someone else was faster; says whether it did.
    async fn learn_end(&self, run: &str, entries: &[FleetEntry]) -> Result<bool, StoreError>;
    /// Writes a rollout: a new one with version 0, or one whose version is still that; says whether it did. The
    /// version that is kept is one higher.
    async fn put_rollout(&self, rollout: &RolloutRow) -> Result<bool, StoreError>;
    /// Reads a rollout.
    async fn rollout(&self, id: &str) -> Result<Option<RolloutRow>, StoreError>;
    /// Lists rollouts, newest first: those that are not over, or the last so many.
    async fn rollouts(&self, only_open: bool, limit: u32) -> Result<Vec<RolloutRow>, StoreError>;
}

impl FleetEntry {
    /// The task or image that it is about.
    pub fn subject(&self) -> &str {
        match self {
            FleetEntry::Task(
                TaskEntry::Makes(TaskMakes { task, .. })
                | TaskEntry::Gone { task }
                | TaskEntry::Took { task, .. },
            ) => task,
            FleetEntry::Fact(fact) => match fact {
                Fact::Seen { image, .. } => image,
                Fact::Source { task, .. }
                | Fact::Raised { task, .. }
                | Fact::Queued { task, .. } => task,
                Fact::Ended { run, .. } => run,
            },
        }
    }

    /// The key under which it is known once; `None` for what may come again.
    pub fn once(&self) -> Option<String> {
        match self {
            FleetEntry::Fact(Fact::Queued { run, inputs, .. }) => {
                Some(format!("queued/{run}/{}", inputs.key()))
            }
            FleetEntry::Fact(Fact::Ended { run, .. }) => Some(format!("ended/{run}")),
            FleetEntry::Fact(Fact::Raised {
                task, key, epoch, ..
            }) => {
                let key = key.as_deref().unwrap_or_default();
                Some(format!("raised/{task}/{key}/{epoch}"))
            }
            _ => None,
        }
    }
}

impl From<Fact> for FleetEntry {
    fn from(fact: Fact) -> Self {
        FleetEntry::Fact(fact)
    }
}

impl RolloutRow {
    /// The rollout as the core sees it.
    pub fn rollout(&self) -> crate::fleet::Rollout {
        crate::fleet::Rollout {
            id: self.id.clone(),
            tasks: self.tasks.clone(),
            max_parallel: self.max_parallel,
            canary: self.canary.clone(),
            state: self.state,
            since: self.created_at,
        }
    }

    /// The images it follows, or that it is about everything.
    pub fn subject(&self) -> String {
        match self.bases.is_empty() {
            true => "everything stale".to_owned(),
            false => self.bases.join(", "),
        }
    }
}

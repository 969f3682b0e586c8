//! What is known of base images: who stands on them, what was seen of them, and what was decided.
//!
//! Observations are facts and only ever added. An observation is written together with the decisions about it, and
//! only where what is watched still has the content that the observer compared with; so a move is seen once, however
//! many servers look. The run that moves start is queued in the transaction that marks their decisions.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Enqueued, NewRun, Placement, StoreError};
use crate::{tasks::Follow, triggers::Base};

/// A base of a task's builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BaseRow {
    /// The task.
    pub task: String,
    /// What is watched: a reference, or an image with a rule in braces.
    pub key: String,
    /// Whether a built image begins with it.
    pub is_runtime: bool,
    /// The digest that the last build stood on, as far as it is known.
    pub stood_on: Option<String>,
    /// Where this was learned: a run's id, or `task` for its Dockerfile.
    pub learned_from: String,
    /// When.
    pub learned_at: DateTime<Utc>,
}

/// A base to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBase {
    /// What is watched, and what was built on.
    pub base: Base,
    /// The repository, host and path.
    pub repository: String,
    /// The rule by which its tags are followed; none for the content of a tag.
    pub rule: Option<Follow>,
}

/// Something in a registry that is looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Watch {
    /// What is watched.
    pub key: String,
    /// What was behind it at the last look that succeeded.
    pub seen: Option<String>,
    /// The entity tag that goes with it.
    pub etag: Option<String>,
    /// The rule by which tags are followed.
    pub rule: Option<Follow>,
    /// Who asked for the next look, if it is not just time for it.
    pub prompt: Option<String>,
    /// When it is looked at next.
    pub next_at: DateTime<Utc>,
    /// When it was last looked at with success.
    pub looked_at: Option<DateTime<Utc>>,
    /// How many looks have failed since.
    pub failures: u32,
    /// Why the last one failed.
    pub problem: Option<String>,
}

/// A look that found nothing new, or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// What was looked at.
    pub key: String,
    /// When.
    pub at: DateTime<Utc>,
    /// When to look next.
    pub next_at: DateTime<Utc>,
    /// Why it failed; then what was seen before stays, and is as old as it was.
    pub problem: Option<String>,
}

/// Something that was seen to have moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What was looked at.
    pub key: String,
    /// What was behind it before.
    pub from: Option<String>,
    /// What is behind it now.
    pub to: String,
    /// The entity tag that goes with it.
    pub etag: Option<String>,
    /// How it was seen: `poll`, or who prompted the look.
    pub how: String,
    /// When.
    pub at: DateTime<Utc>,
    /// When to look next.
    pub next_at: DateTime<Utc>,
}

/// A decision about an observation, for one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDecision {
    /// The task.
    pub task: String,
    /// When a run is to start; `None` starts none.
    pub due_at: Option<DateTime<Utc>>,
    /// Why, in words.
    pub reason: String,
}

/// What was decided about a move, for one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BaseDecision {
    /// Its number; later ones are higher.
    pub number: i64,
    /// The task.
    pub task: String,
    /// What moved.
    pub key: String,
    /// What was behind it before.
    pub from: Option<String>,
    /// What is behind it now.
    pub to: String,
    /// How it was seen.
    pub how: String,
    /// When it was seen and decided.
    pub at: DateTime<Utc>,
    /// When the run is to start that waits for other bases to settle.
    pub due_at: Option<DateTime<Utc>>,
    /// The run that it started.
    pub run: Option<String>,
    /// Why, in words.
    pub reason: String,
}

/// Keeps what is known of base images. Filled by the same adapters as [`super::Queue`], over the same runs.
#[async_trait]
pub trait Bases: Send + Sync {
    /// Makes these the bases of a task; what nobody stands on any more is not watched any more.
    async fn put_bases(
        &self,
        task: &str,
        bases: &[NewBase],
        learned: (&str, DateTime<Utc>),
    ) -> Result<(), StoreError>;
    /// Lists the bases of a task, or of all, by task and key.
    async fn bases(&self, task: Option<&str>) -> Result<Vec<BaseRow>, StoreError>;
    /// Lists who stands on something that is watched.
    async fn bases_on(&self, key: &str) -> Result<Vec<BaseRow>, StoreError>;
    /// Lists what is watched for a task, or at all, by key.
    async fn watches(&self, task: Option<&str>) -> Result<Vec<Watch>, StoreError>;
    /// Claims what is to be looked at, the longest overdue first; nobody else gets it until `held_until`.
    async fn claim_watches(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Watch>, StoreError>;
    /// Records looks that found nothing new, or failed.
    async fn looked(&self, looks: &[Looked]) -> Result<(), StoreError>;
    /// Lets a tag, and the rules that follow its repository, be looked at now, prompted by someone; says how many
    /// looks that are.
    async fn look_now(
        &self,
        repository: &str,
        tag: &str,
        prompt: (&str, DateTime<Utc>),
    ) -> Result<u64, StoreError>;
    /// Records a move with its decisions; `false` when another server has seen it before.
    async fn observe(
        &self,
        observation: &Observation,
        decisions: &[NewDecision],
    ) -> Result<bool, StoreError>;
    /// Lists decisions, latest first, of a task or of all.
    async fn decisions(
        &self,
        task: Option<&str>,
        limit: u32,
    ) -> Result<Vec<BaseDecision>, StoreError>;
    /// Lists what waits to start runs, of each task for which it is time, by number.
    async fn due_moves(&self, now: DateTime<Utc>) -> Result<Vec<BaseDecision>, StoreError>;
    /// Queues the run that these decisions start; `None` when another server has done so.
    async fn start_moved(
        &self,
        decisions: &[i64],
        run: &NewRun,
        place: &Placement,
    ) -> Result<Option<Enqueued>, StoreError>;
    /// Takes decisions back before they have started a run, and says why.
    async fn take_back(&self, decisions: &[i64], reason: &str) -> Result<(), StoreError>;
}

//! What code hosts delivered, what was decided, and what they are to be told: facts first, then decisions with runs.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Enqueued, NewRun, Placement, Sealed, StoreError};
use crate::triggers::{Move, Provider};

/// A delivery that proved who sent it.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// What tells it from every other: where it came in, and the sender's id for it.
    pub id: String,
    /// The source whose secret it was signed with.
    pub source: String,
    /// The one task that it may start; `None` where it came to all of them.
    pub task: Option<String>,
    /// The kind of code host.
    pub provider: Provider,
    /// What happened, in the code host's word.
    pub event: String,
    /// The headers that are kept.
    pub headers: BTreeMap<String, String>,
    /// The body as it came.
    pub body: Vec<u8>,
    /// When it came.
    pub at: DateTime<Utc>,
}

/// A delivery as kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// Its number, from 1.
    pub number: u64,
    /// What tells it from every other.
    pub id: String,
    /// The source whose secret it was signed with.
    pub source: String,
    /// The one task that it may start.
    pub task: Option<String>,
    /// The kind of code host.
    pub provider: Provider,
    /// What happened, in the code host's word.
    pub event: String,
    /// The headers that are kept.
    pub headers: BTreeMap<String, String>,
    /// The body as it came; empty in lists.
    #[serde(skip)]
    pub body: Vec<u8>,
    /// When it came.
    pub at: DateTime<Utc>,
    /// What was decided; nothing until that is done.
    pub decision: Option<Decision>,
    /// How often it was decided again on request.
    pub replays: u32,
}

/// What was decided for a fact, with all reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// When.
    pub at: DateTime<Utc>,
    /// What came of it, in a sentence.
    pub summary: String,
    /// What it means for each task that watches the repository, the first hundred of them.
    pub tasks: Vec<TaskDecision>,
}

/// What a fact means for one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskDecision {
    /// The task.
    pub task: String,
    /// Its trigger.
    pub trigger: String,
    /// The run that was started, or was there already.
    pub run: Option<String>,
    /// Why it starts or does not.
    pub reason: String,
}

/// A decision to be written, together with the runs that it starts.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The delivery that is decided; `None` for what a poll saw.
    pub delivery: Option<u64>,
    /// Where it came in: a task's own door has its own view of where references stand.
    pub scope: String,
    /// Which replay it is, from 1; 0 is the first decision.
    pub replay: u32,
    /// What is ruled on each thing that happened; one delivery may tell of several references.
    pub rulings: Vec<Ruling>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What is ruled on one thing that happened.
#[derive(Debug, Clone)]
pub struct Ruling {
    /// The reference that is said to have moved. Nothing starts unless that is news, or it is a replay.
    pub to: Option<Move>,
    /// What it starts.
    pub starts: Vec<Starting>,
    /// Why other tasks do not start.
    pub declined: Vec<TaskDecision>,
    /// What came of it when nothing starts, in a sentence.
    pub summary: String,
}

/// What came of a ruling: a sentence, and what it means for each task.
pub type Ruled = (String, Vec<TaskDecision>);

/// A run that a verdict starts; the visit, known only when it is written, is added to its cause key.
#[derive(Debug, Clone)]
pub struct Starting {
    /// The trigger.
    pub trigger: String,
    /// Why, in words.
    pub reason: String,
    /// The run.
    pub run: NewRun,
    /// Where it waits.
    pub place: Placement,
    /// Where the code host is told how it goes, if it is.
    pub report: Option<Value>,
}

/// A delivery that was refused: no more is kept of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rejection {
    /// When.
    pub at: DateTime<Utc>,
    /// The address it came from.
    pub from: String,
    /// How large it was.
    pub bytes: u64,
    /// Why.
    pub reason: String,
}

/// Who may deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookSource {
    /// Its name.
    pub name: String,
    /// The kind of code host.
    pub provider: Provider,
    /// The one task it may start; `None` is all that watch its repositories.
    pub task: Option<String>,
    /// The secret that proves it.
    pub secret: Sealed,
    /// The secret before, and until when it still counts.
    pub previous: Option<(Sealed, DateTime<Utc>)>,
    /// A token for its interface: to fetch private repositories and to report how runs go.
    pub token: Option<Sealed>,
    /// Where its interface is, if that is not told by its name.
    pub api: Option<String>,
    /// When it was set.
    pub updated_at: DateTime<Utc>,
}

/// How a run goes, to be told to a code host.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The run.
    pub run: String,
    /// Whom to tell, and of which commit.
    pub target: Value,
    /// What was told last; empty at first.
    pub told: String,
    /// How often telling it failed.
    pub attempts: u32,
}

/// Which deliveries to list.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Only deliveries older than this one, for the next page.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

impl HookSource {
    /// The row that its sealed values are bound to.
    pub fn row(name: &str, what: &str) -> String {
        format!("hook-source/{name}/{what}")
    }
}

impl Report {
    /// What is told while a run has not ended.
    pub const PENDING: &'static str = "pending";

    /// Says whether there is nothing left to tell.
    pub fn is_done(&self) -> bool {
        !self.told.is_empty() && self.told != Self::PENDING
    }
}

impl Starting {
    /// What came of it.
    pub fn decision(&self, enqueued: &Enqueued) -> TaskDecision {
        let own = Some(self.run.id.clone());
        let is_held = self
            .run
            .trigger
            .as_ref()
            .is_some_and(|it| it.needs_approval);
        let (run, more) = match enqueued {
            Enqueued::Waiting { .. } if is_held => (
                own,
                "; a fork of someone who is not trusted: it waits for approval".to_owned(),
            ),
            Enqueued::Waiting { .. } => (own, String::new()),
            Enqueued::Skipped { by } => (own, format!("; skipped, for run {by} has not ended")),
            Enqueued::Known { run } => (Some(run.clone()), "; it was started before".to_owned()),
        };
        TaskDecision {
            task: self.place.task.clone().unwrap_or_default(),
            trigger: self.trigger.clone(),
            run,
            reason: format!("{}{more}", self.reason),
        }
    }
}

impl Ruling {
    /// Rules that nothing starts, for this reason.
    pub fn none(summary: impl Into<String>) -> Ruling {
        Ruling {
            to: None,
            starts: Vec::new(),
            declined: Vec::new(),
            summary: summary.into(),
        }
    }

    /// What came of it when nothing starts, whatever the filters say.
    pub fn nothing(&self, why: &str) -> Ruled {
        let declined = self.starts.iter().map(|it| TaskDecision {
            task: it.place.task.clone().unwrap_or_default(),
            trigger: it.trigger.clone(),
            run: None,
            reason: why.to_owned(),
        });
        (format!("nothing: {why}"), declined.collect())
    }

    /// What came of it after these tasks were started.
    pub fn ruled(&self, started: Vec<TaskDecision>, replay: u32) -> Ruled {
        let summary = match (started.len(), replay) {
            (0, _) => format!("nothing: {}", self.summary),
            (1, 0) => "one run".to_owned(),
            (count, 0) => format!("{count} runs"),
            (count, replay) => format!("{count} runs, as replay {replay}"),
        };
        let all = started.into_iter().chain(self.declined.iter().cloned());
        (summary, all.collect())
    }
}

impl Verdict {
    /// How many tasks a decision names.
    pub const TASKS: usize = 100;

    /// The decision, of what came of each ruling.
    pub fn decision(&self, ruled: Vec<Ruled>) -> Decision {
        let summary = match ruled.as_slice() {
            [(summary, _)] => summary.clone(),
            several => self.summary_of(several),
        };
        let tasks = ruled.into_iter().flat_map(|(_, tasks)| tasks);
        Decision {
            at: self.at,
            summary,
            tasks: tasks.take(Self::TASKS).collect(),
        }
    }

    /// Each reference with what came of it.
    fn summary_of(&self, several: &[Ruled]) -> String {
        let parts = self.rulings.iter().zip(several);
        let part = |(ruling, (summary, _)): (&Ruling, &Ruled)| match &ruling.to {
            Some(to) => format!("{}: {summary}", to.reference),
            None => summary.clone(),
        };
        parts.map(part).collect::<Vec<_>>().join("; ")
    }

    /// The key of what it starts: the cause, the visit, and the replay if it is one.
    pub fn key(&self, starting: &Starting, visit: u32) -> Option<String> {
        let key = &starting.run.trigger.as_ref()?.key;
        Some(match self.replay {
            0 => format!("{key} visit {visit}"),
            replay => format!("{key} replay {}.{replay}", self.delivery.unwrap_or(0)),
        })
    }
}

/// Keeps deliveries, decisions and sources, over the same runs as [`super::RunStore`].
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Keeps deliveries in one transaction; says of each whether it is new.
    async fn accept(&self, deliveries: &[NewDelivery]) -> Result<Vec<bool>, StoreError>;
    /// Keeps that a delivery was refused; only the last thousand are kept.
    async fn reject(&self, rejection: &Rejection) -> Result<(), StoreError>;
    /// Lists refused deliveries, newest first.
    async fn rejections(&self, limit: u32) -> Result<Vec<Rejection>, StoreError>;
    /// Takes deliveries that nobody has decided, oldest first. Each comes again after `hold`, unless it is decided.
    async fn undecided(&self, limit: u32, hold: Duration) -> Result<Vec<Delivery>, StoreError>;
    /// Writes a decision, moves the heads and queues the runs, all in one transaction. What was decided already stays.
    async fn decide(&self, verdict: &Verdict) -> Result<Decision, StoreError>;
    /// Says whether a reference was ever heard of.
    async fn knows_head(
        &self,
        scope: &str,
        repository: &str,
        reference: &str,
    ) -> Result<bool, StoreError>;
    /// Lists deliveries, newest first, without bodies.
    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError>;
    /// Reads one delivery.
    async fn delivery(&self, number: u64) -> Result<Option<Delivery>, StoreError>;
    /// Counts one more replay of a delivery and says how many there have been.
    async fn count_replay(&self, number: u64) -> Result<u32, StoreError>;
    /// Sets a source, whether or not there was one of this name.
    async fn put_source(&self, source: &HookSource) -> Result<(), StoreError>;
    /// Puts other seals of the same secrets in the place of a source's; `false` when it was set anew meanwhile.
    async fn reseal_source(&self, from: &HookSource, to: &HookSource) -> Result<bool, StoreError>;
    /// Removes a source; says whether there was one.
    async fn remove_source(&self, name: &str) -> Result<bool, StoreError>;
    /// Lists sources by name.
    async fn sources(&self) -> Result<Vec<HookSource>, StoreError>;
    /// Takes reports that are due: of runs that have ended, or of which nothing was told. Each comes again after
    /// `hold`, unless it is told by then.
    async fn due_reports(&self, limit: u32, hold: Duration) -> Result<Vec<Report>, StoreError>;
    /// Keeps what was told of a run, or that it could not be told and when to try again.
    async fn reported(&self, report: &Report, again_after: Duration) -> Result<(), StoreError>;
    /// Lets a run go that waits for approval; says whether it did.
    async fn approve(&self, run: &str, by: &str) -> Result<bool, StoreError>;
}

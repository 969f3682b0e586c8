//! Runs as the API shows them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::ports::{AttemptRow, Place, Placement, RunRow, StepRow, Trigger};

/// A run.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunView {
    /// Its id.
    pub id: String,
    /// What it is called in lists: the task's name, or the file of a quick run.
    pub name: String,
    /// `queued`, `preparing`, `running`, `succeeded`, `failed`, `errored`, `timed_out` or `canceled`.
    pub status: String,
    /// Why it ended so.
    pub reason: Option<String>,
    /// Why it was started.
    pub cause: String,
    /// What started it, when it was no person: kind, key and details.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// The run it repeats.
    pub rerun_of: Option<String>,
    /// The worker or process that has it, or had it last.
    pub owner: Option<String>,
    /// In which pool it waits for a worker, and how; nothing for a run that its client drives itself.
    #[schema(value_type = Option<Object>)]
    pub placement: Option<Placement>,
    /// How many runs go before it and what it waits for, while it is queued; in lists only with `places`.
    #[schema(value_type = Option<Object>)]
    pub place: Option<Place>,
    /// Its generation, from 1.
    pub generation: u32,
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
    /// What was asked, without secrets; nothing in lists.
    #[schema(value_type = Object)]
    pub request: Value,
    /// What preparing found; nothing in lists.
    #[schema(value_type = Object)]
    pub prepared: Value,
}

/// A run with its steps and attempts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunDetail {
    /// The run.
    #[serde(flatten)]
    pub run: RunView,
    /// Its steps, in file order.
    #[schema(value_type = Vec<Object>)]
    pub step_list: Vec<StepRow>,
    /// Their attempts.
    #[schema(value_type = Vec<Object>)]
    pub attempts: Vec<AttemptRow>,
}

/// A run that was queued.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QueuedRun {
    /// Its id.
    pub id: String,
    /// Its status: `queued`, or `canceled` when its concurrency group let it be skipped.
    pub status: String,
    /// Why it was not queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl From<RunRow> for RunView {
    fn from(run: RunRow) -> Self {
        Self {
            id: run.id,
            name: run.name,
            status: run.status.as_str().to_owned(),
            reason: run.reason,
            cause: run.cause,
            trigger: run.trigger,
            rerun_of: run.rerun_of,
            owner: run.owner,
            placement: run.placement,
            place: None,
            generation: run.generation,
            created_at: run.created_at,
            started_at: run.started_at,
            ended_at: run.ended_at,
            steps: run.steps,
            steps_ended: run.steps_ended,
            request: run.request,
            prepared: run.prepared,
        }
    }
}

impl RunView {
    /// Shows where the run stands in its queue, too.
    pub fn at(self, place: Option<Place>) -> Self {
        Self { place, ..self }
    }
}

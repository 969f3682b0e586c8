//! What a build was decided to be made from, as its run's cause carries it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    fleet::{Fact, InputSet, Origin},
    ports::{RunRow, Trigger, TriggerKind},
};

/// What a build was decided to be made from; recorded as the details of its run's cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in super::super) struct Decided {
    /// The task.
    pub task: String,
    /// The inputs.
    pub inputs: InputSet,
    /// The epoch.
    pub epoch: u32,
    /// What set it off.
    pub origin: Option<Origin>,
    /// The rollout that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<String>,
}

impl Decided {
    /// Reads what was decided for a run, if anything was.
    pub fn of(row: &RunRow) -> Option<Self> {
        let trigger = row.trigger.as_ref()?;
        match trigger.kind {
            TriggerKind::Fleet | TriggerKind::BaseImage => {
                serde_json::from_value(trigger.details.clone()).ok()
            }
            TriggerKind::Source | TriggerKind::Timer => None,
        }
    }

    /// The key of the cause: one run for each task, input set and epoch, whoever decides.
    pub fn cause_key(&self) -> String {
        format!("inputs/{}/{}/{}", self.task, self.inputs.key(), self.epoch)
    }

    /// The cause in words.
    pub fn cause(&self) -> String {
        let moved = self.origin.as_ref();
        let moved = moved.map(|it| format!(" because {} moved", it.image));
        format!("fleet{}", moved.unwrap_or_default())
    }

    /// The cause of a run that a wave queues.
    pub fn trigger(&self) -> Trigger {
        Trigger::new(TriggerKind::Fleet, self.cause_key(), json!(self))
    }

    /// The fact that it was queued.
    pub fn queued(self, run: String, at: DateTime<Utc>) -> Fact {
        Fact::Queued {
            task: self.task,
            inputs: self.inputs,
            epoch: self.epoch,
            run,
            origin: self.origin,
            at,
        }
    }
}

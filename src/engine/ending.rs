//! How attempts, steps and runs end: failed is the user's step, errored is us.

use serde::{Deserialize, Serialize};

use super::{RunStatus, StepStatus};

/// What kind of trouble kept us from doing our job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The image cannot be had.
    Image,
    /// A registry refused or did not answer.
    Registry,
    /// The engine refused or did not answer.
    Engine,
    /// The engine stopped while the attempt ran, or its container vanished.
    Lost,
}

impl FaultKind {
    /// Says whether `retries` covers it; a lost container is not tried again by the step.
    pub fn is_retried(self) -> bool {
        matches!(self, FaultKind::Image | FaultKind::Registry)
    }
}

/// Trouble of ours, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What kind.
    pub kind: FaultKind,
    /// What was said, as a lowercase fragment.
    pub message: String,
    /// What to try, as a sentence; may be empty.
    #[serde(default)]
    pub hint: String,
}

impl Fault {
    /// What was said and what to try, as one text.
    pub fn explained(&self) -> String {
        if self.hint.is_empty() {
            self.message.clone()
        } else {
            format!("{}. {}", self.message, self.hint)
        }
    }
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "as")]
pub enum Outcome {
    /// The container, build or push came to its end and said so.
    Exited {
        /// The exit code; builds and pushes say 0 or 1.
        code: i64,
        /// Why, when it is not plain from the code.
        cause: Option<String>,
        /// Whether the output held one of the step's `retryOnErrors`; true when the step names none.
        matched: bool,
    },
    /// We could not.
    Faulted {
        /// What happened.
        fault: Fault,
        /// Whether the message held one of the step's `retryOnErrors`; true when the step names none.
        matched: bool,
    },
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "as")]
pub enum Ending {
    /// Fine.
    Succeeded,
    /// Its command said no.
    Failed {
        /// The exit code of the last attempt that failed.
        code: i64,
        /// Why, when it is not plain from the code.
        cause: Option<String>,
    },
    /// We could not.
    Errored(Fault),
    /// It took longer than its timeout.
    TimedOut,
    /// It was stopped.
    Canceled,
    /// It was never begun.
    Skipped,
}

impl Ending {
    /// The word for it.
    pub fn status(&self) -> StepStatus {
        match self {
            Ending::Succeeded => StepStatus::Succeeded,
            Ending::Failed { .. } => StepStatus::Failed,
            Ending::Errored(_) => StepStatus::Errored,
            Ending::TimedOut => StepStatus::TimedOut,
            Ending::Canceled => StepStatus::Canceled,
            Ending::Skipped => StepStatus::Skipped,
        }
    }
}

/// How a run ended, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The word for it; always an ended one.
    pub status: RunStatus,
    /// Why, in words; `None` when it succeeded.
    pub reason: Option<String>,
    /// The step that decided it.
    pub step: Option<u32>,
}

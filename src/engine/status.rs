//! The words for how runs and steps stand.

use serde::{Deserialize, Serialize};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Recorded, not begun.
    Queued,
    /// Its context and file are being read.
    Preparing,
    /// Its steps run.
    Running,
    /// All steps are fine.
    Succeeded,
    /// A step said no, or the task file is wrong.
    Failed,
    /// careen, the engine or a registry could not.
    Errored,
    /// It, or a step, took longer than allowed.
    TimedOut,
    /// Someone stopped it.
    Canceled,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Not begun.
    Waiting,
    /// Begun, not ended.
    Running,
    /// Fine; a detached container has started.
    Succeeded,
    /// Its command said no.
    Failed,
    /// careen, the engine or a registry could not.
    Errored,
    /// It took longer than allowed.
    TimedOut,
    /// It was stopped.
    Canceled,
    /// It was never begun.
    Skipped,
}

macro_rules! words {
    ($name:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $name {
            /// Every value, in the order of a life.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word used in the database, the API and the command line.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|s| s.as_str() == text)
                    .ok_or_else(|| format!("unknown status {text:?}"))
            }
        }
    };
}

words!(RunStatus {
    Queued => "queued",
    Preparing => "preparing",
    Running => "running",
    Succeeded => "succeeded",
    Failed => "failed",
    Errored => "errored",
    TimedOut => "timed_out",
    Canceled => "canceled",
});

words!(StepStatus {
    Waiting => "waiting",
    Running => "running",
    Succeeded => "succeeded",
    Failed => "failed",
    Errored => "errored",
    TimedOut => "timed_out",
    Canceled => "canceled",
    Skipped => "skipped",
});

impl RunStatus {
    /// Says whether nothing more will happen.
    pub fn is_ended(self) -> bool {
        !matches!(
            self,
            RunStatus::Queued | RunStatus::Preparing | RunStatus::Running
        )
    }
}

impl StepStatus {
    /// Says whether nothing more will happen.
    pub fn is_ended(self) -> bool {
        !matches!(self, StepStatus::Waiting | StepStatus::Running)
    }
}

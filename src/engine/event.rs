//! What can happen to a run, and what the engine can want done.

use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::spec::dependencies::KnownBase;

/// A moment, in milliseconds since 1970.
pub type Millis = i64;

/// A clock that was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// A step's `startDelay` is over.
    StartDelay(u32),
    /// The wait before another pull is over.
    PullDelay(u32),
    /// The wait before a retry is over.
    RetryDelay(u32),
    /// A step's `timeout` is over.
    StepTimeout(u32),
    /// The run's timeout is over.
    RunTimeout,
}

/// Something that happened to a run. `step` is a position in the plan, `attempt` counts from 1 over all iterations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Event {
    /// Network, volumes and context are in place: steps may start.
    Begun,
    /// Network, volumes or context could not be put in place.
    SetupFailed {
        /// What went wrong.
        fault: super::Fault,
    },
    /// The image that a step wanted pulled is here, or cannot be had.
    Pulled {
        /// The step.
        step: u32,
        /// What went wrong, if anything.
        fault: Option<super::Fault>,
    },
    /// A container has started; builds and pushes have no such event.
    Started {
        /// The step.
        step: u32,
        /// The attempt.
        attempt: u32,
        /// The engine's id of the container.
        container: String,
        /// Whether its image has a health check.
        has_health_check: bool,
    },
    /// A container reported that it is healthy.
    Healthy {
        /// The step.
        step: u32,
        /// The attempt.
        attempt: u32,
    },
    /// An attempt is over.
    Ended {
        /// The step.
        step: u32,
        /// The attempt.
        attempt: u32,
        /// How.
        outcome: Outcome,
    },
    /// A container that was to be stopped is gone.
    Stopped {
        /// The step.
        step: u32,
        /// The attempt.
        attempt: u32,
    },
    /// A clock went off.
    Fired {
        /// Which.
        timer: Timer,
    },
    /// Whoever ran it is gone for good; its containers were removed.
    Abandoned {
        /// Who or why, in words.
        reason: String,
    },
    /// Someone wants the run stopped.
    CancelRequested {
        /// Who or why, in words.
        reason: String,
    },
    /// A build or push that was cut off is issued again in the same attempt.
    Reissued {
        /// The step.
        step: u32,
        /// The attempt.
        attempt: u32,
    },
    /// It is known what an attempt to build stands on.
    Based {
        /// The step.
        step: u32,
        /// The attempt.
        attempt: u32,
        /// The images, in the order of the Dockerfile.
        bases: Vec<KnownBase>,
    },
    /// An earlier run did the step, and it is not done again; comes before the run begins.
    Kept {
        /// The step.
        step: u32,
        /// The run that did it.
        run: String,
    },
    /// Everything that the run made on the engine is removed.
    Tidied,
}

impl Event {
    /// The word under which the event is stored.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Begun => "begun",
            Event::SetupFailed { .. } => "setup_failed",
            Event::Pulled { .. } => "pulled",
            Event::Started { .. } => "started",
            Event::Healthy { .. } => "healthy",
            Event::Ended { .. } => "ended",
            Event::Stopped { .. } => "stopped",
            Event::Fired { .. } => "fired",
            Event::Abandoned { .. } => "abandoned",
            Event::CancelRequested { .. } => "cancel_requested",
            Event::Reissued { .. } => "reissued",
            Event::Based { .. } => "based",
            Event::Kept { .. } => "kept",
            Event::Tidied => "tidied",
        }
    }

    /// The step that the event is about, if it is about one.
    pub fn step(&self) -> Option<u32> {
        match self {
            Event::Pulled { step, .. }
            | Event::Started { step, .. }
            | Event::Healthy { step, .. }
            | Event::Ended { step, .. }
            | Event::Stopped { step, .. }
            | Event::Reissued { step, .. }
            | Event::Based { step, .. }
            | Event::Kept { step, .. } => Some(*step),
            Event::Fired { timer } => timer.step(),
            Event::Begun
            | Event::SetupFailed { .. }
            | Event::Abandoned { .. }
            | Event::CancelRequested { .. }
            | Event::Tidied => None,
        }
    }
}

impl Timer {
    /// The step whose clock it is; `None` for the run's.
    pub fn step(self) -> Option<u32> {
        match self {
            Timer::StartDelay(step)
            | Timer::PullDelay(step)
            | Timer::RetryDelay(step)
            | Timer::StepTimeout(step) => Some(step),
            Timer::RunTimeout => None,
        }
    }
}

/// Something to do, once the events that led to it are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Pull the step's image; answered by `Pulled`.
    Pull {
        /// The step.
        step: u32,
    },
    /// Make an attempt: start the container, build, or push; answered by `Started` and `Ended`.
    Start {
        /// The step.
        step: u32,
        /// The attempt.
        attempt: u32,
    },
    /// A hint: this attempt will probably start soon, so its container may be made ahead.
    Foresee {
        /// The step.
        step: u32,
        /// The attempt.
        attempt: u32,
    },
    /// Tell when the container is healthy; answered by `Healthy`, or by `Ended` if it ends first.
    WatchHealth {
        /// The step.
        step: u32,
        /// The attempt.
        attempt: u32,
    },
    /// Stop an attempt, or a pull (attempt 0); answered by `Stopped`, or by `Ended` if that was faster.
    Stop {
        /// The step.
        step: u32,
        /// The attempt.
        attempt: u32,
    },
    /// Remove the container of an ended attempt.
    Remove {
        /// The step.
        step: u32,
        /// The attempt.
        attempt: u32,
    },
    /// Set a clock; answered by `Fired` at or after `due`.
    Set {
        /// Which.
        timer: Timer,
        /// When it goes off.
        due: Millis,
    },
    /// Forget a clock.
    Unset {
        /// Which.
        timer: Timer,
    },
    /// Stop services, save outputs and remove everything that is left; answered by `Tidied`.
    Tidy,
}

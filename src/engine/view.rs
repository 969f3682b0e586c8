//! Reads a state in the words that people and the database use.

use super::{Ending, Phase, RunState, RunStatus, StepState, StepStatus};

/// How the reason of a step begins that an earlier run did; the run's id follows.
pub const KEPT_FROM: &str = "kept from run ";

impl RunState {
    /// The run's status; an ended one only once everything is removed.
    pub fn status(&self) -> RunStatus {
        match (self.phase, &self.verdict) {
            (Phase::New, _) => RunStatus::Preparing,
            (Phase::Ended, Some(verdict)) => verdict.status,
            (Phase::Active | Phase::Stopping | Phase::Tidying | Phase::Ended, _) => {
                RunStatus::Running
            }
        }
    }

    /// A step's status.
    pub fn step_status(&self, step: u32) -> StepStatus {
        match &self.step(step).state {
            StepState::Waiting | StepState::Delayed | StepState::Ready => StepStatus::Waiting,
            StepState::Pulling
            | StepState::PullDelayed
            | StepState::Starting
            | StepState::Running
            | StepState::AwaitingHealth
            | StepState::RetryDelayed
            | StepState::Stopping(_) => StepStatus::Running,
            StepState::Ended(ending) => ending.status(),
        }
    }

    /// The exit code that a step's ending carries.
    pub fn exit_code(&self, step: u32) -> Option<i64> {
        match &self.step(step).state {
            StepState::Ended(Ending::Succeeded) => Some(0),
            StepState::Ended(Ending::Failed { code, .. }) => Some(*code),
            _ => None,
        }
    }

    /// Why a step ended so, or what it waits for, in words; `None` when there is nothing to explain.
    pub fn reason(&self, step: u32) -> Option<String> {
        let it = self.plan.step(step);
        let progress = self.step(step);
        match &progress.state {
            StepState::Waiting => self.waits_for(step),
            StepState::Ready => {
                let steps = match self.under_way {
                    1 => "1 step is".to_owned(),
                    many => format!("{many} steps are"),
                };
                let why = format!("held back: {steps} under way, as --parallel allows");
                Some(why)
            }
            StepState::Delayed => Some(format!("startDelay of {} s", it.start_delay_seconds)),
            StepState::Pulling => Some("pulls its image".to_owned()),
            StepState::PullDelayed => Some("waits to pull again".to_owned()),
            StepState::RetryDelayed => Some(format!(
                "waits {} s before trying again",
                it.retry_delay_seconds
            )),
            StepState::AwaitingHealth => Some("waits until it is healthy".to_owned()),
            StepState::Stopping(_) => Some("is being stopped".to_owned()),
            StepState::Starting | StepState::Running => None,
            StepState::Ended(ending) => self.ended_because(step, ending),
        }
    }

    fn waits_for(&self, step: u32) -> Option<String> {
        let is_open = |parent: &u32| !self.step_status(*parent).is_ended();
        let mut parents: Vec<u32> = self.plan.parents(step).filter(is_open).collect();
        parents.sort_unstable();
        let ids: Vec<&str> = parents
            .into_iter()
            .map(|parent| self.plan.step(parent).id.as_str())
            .collect();
        (!ids.is_empty()).then(|| format!("waits for {}", ids.join(", ")))
    }

    fn ended_because(&self, step: u32, ending: &Ending) -> Option<String> {
        match ending {
            Ending::Failed { cause, .. } => cause.clone(),
            Ending::Errored(fault) => Some(fault.explained()),
            Ending::TimedOut => Some(format!(
                "longer than its timeout of {} s",
                self.plan.step(step).timeout_seconds
            )),
            Ending::Succeeded if self.step(step).kept_from.is_some() => {
                let run = self.step(step).kept_from.as_ref()?;
                Some(format!("{KEPT_FROM}{run}"))
            }
            Ending::Succeeded => self
                .step(step)
                .service_exit
                .map(|code| format!("the detached container ended early with exit code {code}")),
            Ending::Canceled | Ending::Skipped => None,
        }
    }
}

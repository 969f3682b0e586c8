//! What a run that was cut off expects to find, derived from its state alone.

use super::{Action, Millis, Phase, RunState, StepState, Timer, turn::millis};
use crate::spec::StepKind;

/// An attempt that should be under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The step.
    pub step: u32,
    /// The attempt.
    pub attempt: u32,
    /// Whether it was only about to start: then a container that never ran may be replaced.
    pub starting: bool,
    /// Whether it is to be stopped.
    pub stopping: bool,
    /// Whether it is a detached container.
    pub serves: bool,
    /// Whether it is a container, not a build or push.
    pub is_container: bool,
}

impl RunState {
    /// Lists the attempts that should be under way, services included.
    pub fn expected(&self) -> Vec<Expected> {
        (0u32..)
            .zip(&self.steps)
            .filter(|(_, progress)| progress.attempt > 0)
            .filter_map(|(step, progress)| {
                let under_way = matches!(
                    progress.state,
                    StepState::Starting
                        | StepState::Running
                        | StepState::AwaitingHealth
                        | StepState::Stopping(_)
                );
                (under_way || progress.serves).then(|| Expected {
                    step,
                    attempt: progress.attempt,
                    starting: progress.state == StepState::Starting,
                    stopping: matches!(progress.state, StepState::Stopping(_)),
                    serves: progress.serves,
                    is_container: matches!(self.plan.step(step).kind, StepKind::Cmd(_)),
                })
            })
            .collect()
    }

    /// Lists what to do again for pulls: make those that should be under way, stop those that should not.
    pub fn expected_pulls(&self) -> Vec<Action> {
        (0u32..)
            .zip(&self.steps)
            .filter_map(|(step, progress)| match progress.state {
                StepState::Pulling => Some(Action::Pull { step }),
                StepState::Stopping(_) if progress.attempt == 0 => {
                    Some(Action::Stop { step, attempt: 0 })
                }
                _ => None,
            })
            .collect()
    }

    /// Lists the clocks that should be set. Waits whose start was not kept are counted from `now`: later, never
    /// earlier than asked.
    pub fn expected_timers(&self, now: Millis) -> Vec<Action> {
        let mut timers = Vec::new();
        if let (Phase::Active, Some(began), Some(timeout)) =
            (self.phase, self.began_at, self.settings.timeout)
        {
            timers.push((Timer::RunTimeout, began.saturating_add(timeout)));
        }
        for (step, progress) in (0u32..).zip(&self.steps) {
            let it = self.plan.step(step);
            let wait = match progress.state {
                StepState::Delayed => Some((Timer::StartDelay(step), it.start_delay_seconds)),
                StepState::PullDelayed => {
                    Some((Timer::PullDelay(step), it.pull_retry_delay_seconds))
                }
                StepState::RetryDelayed => Some((Timer::RetryDelay(step), it.retry_delay_seconds)),
                _ => None,
            };
            timers.extend(wait.map(|(timer, wait)| (timer, now.saturating_add(millis(wait)))));
            if let Some(deadline) = progress.deadline {
                timers.push((Timer::StepTimeout(step), deadline));
            }
        }
        timers
            .into_iter()
            .map(|(timer, due)| Action::Set { timer, due })
            .collect()
    }
}

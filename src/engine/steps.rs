//! What each event does to its step.

use super::{
    Action, Ending, Fault, Millis, Outcome, RunState, StepState, StopReason, Timer,
    schedule::seconds,
};
use crate::spec::StepKind;

impl RunState {
    pub(super) fn fired(&mut self, timer: Timer, at: Millis, actions: &mut Vec<Action>) {
        match timer {
            Timer::StartDelay(step) if self.step(step).state == StepState::Delayed => {
                self.step_mut(step).state = StepState::Ready;
                self.ready.insert(step);
                self.fill(at, actions);
            }
            Timer::PullDelay(step) if self.step(step).state == StepState::PullDelayed => {
                let progress = self.step_mut(step);
                progress.state = StepState::Pulling;
                progress.pulls += 1;
                actions.push(Action::Pull { step });
            }
            Timer::RetryDelay(step) if self.step(step).state == StepState::RetryDelayed => {
                self.start_another(step, at, actions);
            }
            Timer::StepTimeout(step) => self.timed_out(step, at, actions),
            // The step has moved on since the clock was set.
            Timer::StartDelay(_) | Timer::PullDelay(_) | Timer::RetryDelay(_) => {}
            Timer::RunTimeout => {}
        }
    }

    fn timed_out(&mut self, step: u32, at: Millis, actions: &mut Vec<Action>) {
        match self.step(step).state {
            StepState::Starting | StepState::Running | StepState::AwaitingHealth => {
                self.stop(step, StopReason::TimedOut, actions);
            }
            StepState::RetryDelayed => {
                actions.push(Action::Unset {
                    timer: Timer::RetryDelay(step),
                });
                self.finish(step, Ending::TimedOut, at, actions);
            }
            // Not begun, not under this clock, or over already.
            StepState::Waiting
            | StepState::Delayed
            | StepState::Ready
            | StepState::Pulling
            | StepState::PullDelayed
            | StepState::Stopping(_)
            | StepState::Ended(_) => {}
        }
    }

    pub(super) fn pulled(
        &mut self,
        step: u32,
        fault: Option<&Fault>,
        at: Millis,
        actions: &mut Vec<Action>,
    ) {
        match (&self.step(step).state, fault) {
            (StepState::Pulling, None) => self.start_first(step, at, actions),
            (StepState::Pulling, Some(fault)) => {
                let it = self.plan.step(step);
                let (more, delay) = (it.pull_retries, it.pull_retry_delay_seconds);
                if self.step(step).pulls <= more {
                    self.step_mut(step).state = StepState::PullDelayed;
                    actions.push(Action::Set {
                        timer: Timer::PullDelay(step),
                        due: at + seconds(delay),
                    });
                } else {
                    self.finish(step, Ending::Errored(fault.clone()), at, actions);
                }
            }
            (StepState::Stopping(_), _) => self.stopped(step, 0, at, actions),
            // Late: the pull was given up.
            _ => {}
        }
    }

    pub(super) fn started(
        &mut self,
        step: u32,
        attempt: u32,
        has_health_check: bool,
        at: Millis,
        actions: &mut Vec<Action>,
    ) {
        if self.step(step).state != StepState::Starting || self.step(step).attempt != attempt {
            return;
        }
        let detach = self.plan.step(step).detach;
        let holds = self.settings.wait_healthy && has_health_check;
        let progress = self.step_mut(step);
        progress.serves = detach;
        if !detach {
            progress.state = StepState::Running;
        } else if holds {
            progress.state = StepState::AwaitingHealth;
            actions.push(Action::WatchHealth { step, attempt });
        } else {
            self.iteration_over(step, None, at, actions);
        }
    }

    pub(super) fn healthy(
        &mut self,
        step: u32,
        attempt: u32,
        at: Millis,
        actions: &mut Vec<Action>,
    ) {
        let progress = self.step(step);
        if progress.state == StepState::AwaitingHealth && progress.attempt == attempt {
            self.iteration_over(step, None, at, actions);
        }
    }

    pub(super) fn attempt_ended(
        &mut self,
        step: u32,
        attempt: u32,
        outcome: &Outcome,
        at: Millis,
        actions: &mut Vec<Action>,
    ) {
        let is_open = self.open > 0;
        let progress = self.step_mut(step);
        if progress.attempt != attempt {
            return;
        }
        let was_service = std::mem::take(&mut progress.serves);
        match progress.state {
            StepState::Starting | StepState::Running | StepState::AwaitingHealth => {
                self.remove_behind(step, attempt, actions);
                self.judge(step, outcome, at, actions);
            }
            StepState::Stopping(_) => self.stopped(step, attempt, at, actions),
            // Services that end with the run have not died early.
            StepState::Ended(_) if was_service && is_open => {
                progress.service_exit = Some(outcome.code());
            }
            // Late: the step has moved on.
            StepState::Waiting
            | StepState::Delayed
            | StepState::Ready
            | StepState::Pulling
            | StepState::PullDelayed
            | StepState::RetryDelayed
            | StepState::Ended(_) => {}
        }
    }

    /// Ends a step whose attempt, or pull (attempt 0), is gone because it was to be stopped.
    pub(super) fn stopped(
        &mut self,
        step: u32,
        attempt: u32,
        at: Millis,
        actions: &mut Vec<Action>,
    ) {
        let progress = self.step_mut(step);
        let StepState::Stopping(why) = progress.state else {
            return;
        };
        if progress.attempt != attempt {
            return;
        }
        progress.serves = false;
        if attempt > 0 {
            self.remove_behind(step, attempt, actions);
        }
        match why {
            StopReason::Canceled => self.close(step, Ending::Canceled, at, actions),
            StopReason::TimedOut => self.finish(step, Ending::TimedOut, at, actions),
        }
    }

    fn remove_behind(&self, step: u32, attempt: u32, actions: &mut Vec<Action>) {
        let it = self.plan.step(step);
        if !it.keep && matches!(it.kind, StepKind::Cmd(_)) {
            actions.push(Action::Remove { step, attempt });
        }
    }
}

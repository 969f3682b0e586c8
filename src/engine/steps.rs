//! What each event does to its step.

use super::{Action, Ending, Fault, Outcome, RunState, StepState, StopReason, Timer, turn::Turn};
use crate::spec::StepKind;

impl RunState {
    pub(super) fn fired(&mut self, timer: Timer, turn: &mut Turn) {
        match timer {
            Timer::StartDelay(step) if self.step(step).state == StepState::Delayed => {
                self.step_mut(step).state = StepState::Ready;
                self.ready.insert(step);
                self.fill(turn);
            }
            Timer::PullDelay(step) if self.step(step).state == StepState::PullDelayed => {
                let progress = self.step_mut(step);
                progress.state = StepState::Pulling;
                progress.pulls += 1;
                turn.want(Action::Pull { step });
            }
            Timer::RetryDelay(step) if self.step(step).state == StepState::RetryDelayed => {
                self.start_another(step, turn);
            }
            Timer::StepTimeout(step) => self.timed_out(step, turn),
            // The step has moved on since the clock was set.
            Timer::StartDelay(_) | Timer::PullDelay(_) | Timer::RetryDelay(_) => {}
            Timer::RunTimeout => {}
        }
    }

    fn timed_out(&mut self, step: u32, turn: &mut Turn) {
        match self.step(step).state {
            StepState::Starting | StepState::Running | StepState::AwaitingHealth => {
                self.stop(step, StopReason::TimedOut, turn);
            }
            StepState::RetryDelayed => {
                turn.unset(Timer::RetryDelay(step));
                self.finish(step, Ending::TimedOut, turn);
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

    pub(super) fn pulled(&mut self, step: u32, fault: Option<&Fault>, turn: &mut Turn) {
        match (&self.step(step).state, fault) {
            (StepState::Pulling, None) => self.start_first(step, turn),
            (StepState::Pulling, Some(fault)) => {
                let it = self.plan.step(step);
                let (more, delay) = (it.pull_retries, it.pull_retry_delay_seconds);
                if self.step(step).pulls <= more {
                    self.step_mut(step).state = StepState::PullDelayed;
                    turn.set(Timer::PullDelay(step), delay);
                } else {
                    self.finish(step, Ending::Errored(fault.clone()), turn);
                }
            }
            (StepState::Stopping(_), _) => self.stopped(step, 0, turn),
            // Late: the pull was given up.
            _ => {}
        }
    }

    pub(super) fn started(
        &mut self,
        step: u32,
        attempt: u32,
        has_health_check: bool,
        turn: &mut Turn,
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
            self.foresee_children(step, turn);
        } else if holds {
            progress.state = StepState::AwaitingHealth;
            turn.want(Action::WatchHealth { step, attempt });
        } else {
            self.iteration_over(step, None, turn);
        }
    }

    pub(super) fn healthy(&mut self, step: u32, attempt: u32, turn: &mut Turn) {
        let progress = self.step(step);
        if progress.state == StepState::AwaitingHealth && progress.attempt == attempt {
            self.iteration_over(step, None, turn);
        }
    }

    pub(super) fn attempt_ended(
        &mut self,
        step: u32,
        attempt: u32,
        outcome: &Outcome,
        turn: &mut Turn,
    ) {
        let is_open = self.open > 0;
        let progress = self.step_mut(step);
        if progress.attempt != attempt {
            return;
        }
        let was_service = std::mem::take(&mut progress.serves);
        match progress.state {
            StepState::Starting | StepState::Running | StepState::AwaitingHealth => {
                self.remove_behind(step, attempt, turn);
                self.judge(step, outcome, turn);
            }
            StepState::Stopping(_) => self.stopped(step, attempt, turn),
            // Services that end with the run have not died early.
            StepState::Ended(_) if was_service && is_open => {
                // Where it was lost sight of, nothing is known of its exit.
                progress.service_exit = outcome.exit_code();
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
    pub(super) fn stopped(&mut self, step: u32, attempt: u32, turn: &mut Turn) {
        let progress = self.step_mut(step);
        let StepState::Stopping(why) = progress.state else {
            return;
        };
        if progress.attempt != attempt {
            return;
        }
        progress.serves = false;
        if attempt > 0 {
            self.remove_behind(step, attempt, turn);
        }
        match why {
            StopReason::Canceled => self.close(step, Ending::Canceled, turn),
            StopReason::TimedOut => self.finish(step, Ending::TimedOut, turn),
        }
    }

    fn remove_behind(&self, step: u32, attempt: u32, turn: &mut Turn) {
        let it = self.plan.step(step);
        if !it.keep && matches!(it.kind, StepKind::Cmd(_)) {
            turn.want(Action::Remove { step, attempt });
        }
    }
}

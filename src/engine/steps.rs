//! What each event does to its step.

use super::{
    Action, Ending, Fault, Millis, Outcome, Phase, RunState, RunStatus, StepState, StopReason,
    Timer, Verdict, schedule::seconds,
};

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
                self.start_attempt(step, at, actions);
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
            (StepState::Pulling, None) => self.start_attempt(step, at, actions),
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
            (StepState::Stopping(_), _) => self.stopped(step, at, actions),
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
        let progress = self.step_mut(step);
        let was_service = progress.serves;
        if progress.attempt == attempt {
            progress.serves = false;
        }
        match progress.state {
            StepState::Starting | StepState::Running | StepState::AwaitingHealth
                if progress.attempt == attempt =>
            {
                self.remove_behind(step, attempt, actions);
                self.judge(step, outcome, at, actions);
            }
            StepState::Stopping(_) if progress.attempt == attempt => {
                self.stopped(step, at, actions);
            }
            StepState::Ended(_) if was_service => {
                progress.service_exit = Some(outcome.code());
            }
            // Late: the step has moved on.
            _ => {}
        }
    }

    /// Decides after an attempt: fine, once more, or over.
    fn judge(&mut self, step: u32, outcome: &Outcome, at: Millis, actions: &mut Vec<Action>) {
        let Some(ending) = outcome.ending() else {
            return self.iteration_over(step, None, at, actions);
        };
        let it = self.plan.step(step);
        let (retries, delay) = (it.retries, it.retry_delay_seconds);
        if outcome.may_retry() && self.step(step).tries <= retries {
            self.step_mut(step).state = StepState::RetryDelayed;
            actions.push(Action::Set {
                timer: Timer::RetryDelay(step),
                due: at + seconds(delay),
            });
        } else {
            self.iteration_over(step, Some(ending), at, actions);
        }
    }

    /// Goes on to the next iteration, or ends the step; one bad iteration is enough to end it badly.
    fn iteration_over(
        &mut self,
        step: u32,
        bad: Option<Ending>,
        at: Millis,
        actions: &mut Vec<Action>,
    ) {
        let repeat = self.plan.step(step).repeat;
        // A lost container says that the engine stopped: starting again is not for the step to decide.
        let is_lost = matches!(&bad, Some(Ending::Errored(fault)) if !fault.kind.is_retried());
        let progress = self.step_mut(step);
        progress.worst = bad.or(progress.worst.take());
        progress.iterations += 1;
        if progress.iterations <= repeat && !is_lost && !progress.serves {
            progress.tries = 0;
            self.start_attempt(step, at, actions);
            return;
        }
        let ending = progress.worst.take().unwrap_or(Ending::Succeeded);
        self.finish(step, ending, at, actions);
    }

    /// Ends a step by its own doing: its children go, or the run ends.
    fn finish(&mut self, step: u32, ending: Ending, at: Millis, actions: &mut Vec<Action>) {
        let is_fine = ending == Ending::Succeeded;
        let verdict = self.verdict_on(step, &ending);
        self.close(step, ending, at, actions);
        if is_fine || self.plan.step(step).ignore_errors {
            self.step_mut(step).ignored = !is_fine;
            if self.phase == Phase::Active {
                self.release_children(step, at, actions);
                self.fill(at, actions);
            }
        } else {
            self.end_run(verdict, at, actions);
        }
    }

    /// What a step's ending would mean for the run.
    fn verdict_on(&self, step: u32, ending: &Ending) -> Verdict {
        let it = self.plan.step(step);
        let (status, why) = match ending {
            Ending::Failed { code, cause } => {
                let cause = cause
                    .as_ref()
                    .map(|c| format!(" ({c})"))
                    .unwrap_or_default();
                (RunStatus::Failed, format!("exit status {code}{cause}"))
            }
            Ending::Errored(fault) => (RunStatus::Errored, fault.message.clone()),
            Ending::TimedOut => (
                RunStatus::TimedOut,
                format!("timed out after {} s", it.timeout_seconds),
            ),
            Ending::Succeeded | Ending::Canceled | Ending::Skipped => {
                (RunStatus::Canceled, "stopped".to_owned())
            }
        };
        Verdict {
            status,
            reason: Some(format!("failed to run step ID: {}: {why}", it.id)),
            step: Some(step),
        }
    }

    pub(super) fn stopped(&mut self, step: u32, at: Millis, actions: &mut Vec<Action>) {
        let attempt = self.step(step).attempt;
        let StepState::Stopping(why) = self.step(step).state else {
            return;
        };
        self.step_mut(step).serves = false;
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
        if !it.keep && matches!(it.kind, crate::spec::StepKind::Cmd(_)) {
            actions.push(Action::Remove { step, attempt });
        }
    }
}

impl Outcome {
    /// How a step ends that makes no further attempt; `None` when the attempt was fine.
    fn ending(&self) -> Option<Ending> {
        match self {
            Outcome::Exited { code: 0, .. } => None,
            Outcome::Exited { code, cause, .. } => Some(Ending::Failed {
                code: *code,
                cause: cause.clone(),
            }),
            Outcome::Faulted { fault, .. } => Some(Ending::Errored(fault.clone())),
        }
    }

    /// Says whether `retries` and `retryOnErrors` allow another attempt.
    fn may_retry(&self) -> bool {
        match self {
            Outcome::Exited { matched, .. } => *matched,
            Outcome::Faulted { fault, matched } => *matched && fault.kind.is_retried(),
        }
    }

    /// The exit code; -1 where there is none.
    fn code(&self) -> i64 {
        match self {
            Outcome::Exited { code, .. } => *code,
            Outcome::Faulted { .. } => -1,
        }
    }
}

//! Judges attempts, iterations and steps when they are over.

use super::{Ending, Outcome, Phase, RunState, RunStatus, StepState, Timer, Verdict, turn::Turn};
use crate::spec::StepKind;

impl RunState {
    /// Decides after an attempt: fine, once more, or over.
    pub(super) fn judge(&mut self, step: u32, outcome: &Outcome, turn: &mut Turn) {
        let Some(ending) = self.badness(step, outcome) else {
            return self.iteration_over(step, None, turn);
        };
        let delay = self.plan.step(step).retry_delay_seconds;
        if outcome.may_retry() && self.step(step).tries <= self.again(step).retries {
            self.step_mut(step).state = StepState::RetryDelayed;
            turn.set(Timer::RetryDelay(step), delay);
        } else {
            self.iteration_over(step, Some(ending), turn);
        }
    }

    /// What is bad about an attempt's outcome; a service that nobody can use is bad whatever it says.
    fn badness(&self, step: u32, outcome: &Outcome) -> Option<Ending> {
        let is_early = self.step(step).state == StepState::AwaitingHealth;
        outcome.ending().or_else(|| {
            is_early.then(|| Ending::Failed {
                code: 0,
                cause: Some("it ended before it was healthy".to_owned()),
            })
        })
    }

    /// How often a step is done again; the words mean nothing on a push.
    fn again(&self, step: u32) -> Again {
        let it = self.plan.step(step);
        match it.kind {
            StepKind::Push(_) => Again::default(),
            StepKind::Cmd(_) | StepKind::Build(_) => Again {
                retries: it.retries,
                repeat: it.repeat,
            },
        }
    }

    /// Goes on to the next iteration, or ends the step; one bad iteration is enough to end it badly.
    pub(super) fn iteration_over(&mut self, step: u32, bad: Option<Ending>, turn: &mut Turn) {
        let repeat = self.again(step).repeat;
        // A lost container says that the engine stopped: starting again is not for the step to decide.
        let is_lost = matches!(&bad, Some(Ending::Errored(fault)) if !fault.kind.is_retried());
        let progress = self.step_mut(step);
        progress.worst = bad.or(progress.worst.take());
        progress.iterations += 1;
        if progress.iterations <= repeat && !is_lost && !progress.serves {
            progress.tries = 0;
            return self.start_another(step, turn);
        }
        let ending = progress.worst.take().unwrap_or(Ending::Succeeded);
        self.finish(step, ending, turn);
    }

    /// Ends a step by its own doing: its children go, or the run ends.
    pub(super) fn finish(&mut self, step: u32, ending: Ending, turn: &mut Turn) {
        let is_fine = ending == Ending::Succeeded;
        if !is_fine && !self.plan.step(step).ignore_errors {
            let verdict = self.verdict_on(step, &ending);
            self.close(step, ending, turn);
            return self.end_run(verdict, turn);
        }
        self.close(step, ending, turn);
        self.step_mut(step).ignored = !is_fine;
        if self.phase == Phase::Active {
            self.release_children(step, turn);
            self.fill(turn);
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
}

/// How often a step is done again.
#[derive(Default)]
struct Again {
    retries: u32,
    repeat: u32,
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

    /// The exit code, where there is one.
    pub(super) fn exit_code(&self) -> Option<i64> {
        match self {
            Outcome::Exited { code, .. } => Some(*code),
            Outcome::Faulted { .. } => None,
        }
    }
}

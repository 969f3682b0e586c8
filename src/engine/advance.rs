//! The one door through which a run changes.

use super::{
    Action, Ending, Event, Millis, Outcome, Phase, RunState, RunStatus, StepState, Timer, Verdict,
    turn::Turn,
};

/// An event that cannot happen in this state; it means that careen has a bug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event} cannot happen to {subject} while it is {state}")]
pub struct IllegalEvent {
    /// The event's kind.
    pub event: &'static str,
    /// The step's id, or `the run`.
    pub subject: String,
    /// The state.
    pub state: String,
}

/// Advances a run by one event that happened at `at`. Answers of things that were stopped meanwhile are late, not
/// illegal: they change nothing.
pub fn advance(
    mut run: RunState,
    event: &Event,
    at: Millis,
) -> Result<(RunState, Vec<Action>), IllegalEvent> {
    let mut turn = Turn::at(at);
    run.apply(event, &mut turn)?;
    Ok((run, turn.actions))
}

impl RunState {
    fn apply(&mut self, event: &Event, turn: &mut Turn) -> Result<(), IllegalEvent> {
        self.check_step(event)?;
        self.touched.extend(event.step());
        match event {
            Event::Begun => self.begin(turn)?,
            Event::SetupFailed { fault } => {
                let reason = format!("could not set up the run: {}", fault.explained());
                self.stop_all(RunStatus::Errored, &reason, turn);
            }
            Event::Abandoned { reason } => self.stop_all(RunStatus::Errored, reason, turn),
            Event::CancelRequested { reason } => {
                self.stop_all(RunStatus::Canceled, reason, turn);
            }
            Event::Fired {
                timer: Timer::RunTimeout,
            } => self.run_out(turn),
            Event::Tidied => self.tidied()?,
            Event::Fired { timer } => self.fired(*timer, turn),
            Event::Pulled { step, fault } => self.pulled(*step, fault.as_ref(), turn),
            Event::Started {
                step,
                attempt,
                has_health_check,
                ..
            } => {
                self.check_attempt(event, *step, *attempt)?;
                self.started(*step, *attempt, *has_health_check, turn);
            }
            Event::Healthy { step, attempt } => {
                self.check_attempt(event, *step, *attempt)?;
                self.healthy(*step, *attempt, turn);
            }
            Event::Ended {
                step,
                attempt,
                outcome,
            } => {
                self.check_attempt(event, *step, *attempt)?;
                self.attempt_ended(*step, *attempt, outcome, turn);
            }
            Event::Stopped { step, attempt } => {
                self.check_attempt(event, *step, *attempt)?;
                self.stopped(*step, *attempt, turn);
            }
            Event::Kept { step, run } => self.keep(*step, run, turn)?,
            Event::Reissued { step, attempt } | Event::Based { step, attempt, .. } => {
                self.check_attempt(event, *step, *attempt)?;
            }
        }
        self.settle(turn);
        Ok(())
    }

    fn begin(&mut self, turn: &mut Turn) -> Result<(), IllegalEvent> {
        match self.phase {
            Phase::New => {}
            // Cancelled while the network and volumes were made.
            Phase::Stopping | Phase::Tidying => return Ok(()),
            Phase::Active | Phase::Ended => return Err(self.illegal("begun")),
        }
        self.phase = Phase::Active;
        self.began_at = Some(turn.at);
        if let Some(timeout) = self.settings.timeout {
            turn.set_in(Timer::RunTimeout, timeout);
        }
        for step in 0..self.steps.len() as u32 {
            let progress = self.step(step);
            if progress.parents_left == 0 && progress.state == StepState::Waiting {
                self.release(step, turn);
            }
        }
        self.fill(turn);
        Ok(())
    }

    /// Takes a step for done, before anything begins.
    fn keep(&mut self, step: u32, run: &str, turn: &mut Turn) -> Result<(), IllegalEvent> {
        match (self.phase, &self.step(step).state) {
            (Phase::New, StepState::Waiting) => {}
            // Cancelled meanwhile.
            (Phase::Stopping | Phase::Tidying, _) => return Ok(()),
            _ => return Err(self.illegal("kept")),
        }
        self.close(step, Ending::Succeeded, turn);
        self.step_mut(step).kept_from = Some(run.to_owned());
        let plan = self.plan.clone();
        for child in plan.children(step) {
            self.step_mut(child).parents_left -= 1;
        }
        Ok(())
    }

    /// Ends the run for a reason that no step gave.
    fn stop_all(&mut self, status: RunStatus, reason: &str, turn: &mut Turn) {
        self.end_run(
            Verdict {
                status,
                reason: Some(reason.to_owned()),
                step: None,
            },
            turn,
        );
    }

    fn run_out(&mut self, turn: &mut Turn) {
        let seconds = self.settings.timeout.unwrap_or(0) / 1000;
        let reason = format!("the run took longer than its timeout of {seconds} s");
        self.stop_all(RunStatus::TimedOut, &reason, turn);
    }

    fn tidied(&mut self) -> Result<(), IllegalEvent> {
        match self.phase {
            Phase::Tidying => {
                self.phase = Phase::Ended;
                Ok(())
            }
            Phase::New | Phase::Active | Phase::Stopping | Phase::Ended => {
                Err(self.illegal("tidied"))
            }
        }
    }

    /// When the last step has ended, decides the run and asks for everything to be removed.
    fn settle(&mut self, turn: &mut Turn) {
        let is_open = matches!(self.phase, Phase::Active | Phase::Stopping);
        if !is_open || self.open > 0 {
            return;
        }
        self.verdict.get_or_insert(Verdict {
            status: RunStatus::Succeeded,
            reason: None,
            step: None,
        });
        self.forget_run_timeout(turn);
        self.phase = Phase::Tidying;
        turn.want(Action::Tidy);
    }

    fn check_step(&self, event: &Event) -> Result<(), IllegalEvent> {
        match event.step() {
            Some(step) if step as usize >= self.steps.len() => {
                Err(unknown(event, format!("step {step}")))
            }
            _ => Ok(()),
        }
    }

    fn check_attempt(&self, event: &Event, step: u32, attempt: u32) -> Result<(), IllegalEvent> {
        if attempt <= self.step(step).attempt {
            return Ok(());
        }
        Err(unknown(event, format!("attempt {attempt} of step {step}")))
    }

    fn illegal(&self, event: &'static str) -> IllegalEvent {
        IllegalEvent {
            event,
            subject: "the run".to_owned(),
            state: format!("{:?}", self.phase).to_lowercase(),
        }
    }
}

fn unknown(event: &Event, subject: String) -> IllegalEvent {
    IllegalEvent {
        event: event.kind(),
        subject,
        state: "unknown".to_owned(),
    }
}

impl Outcome {
    /// Says whether the attempt did what it should.
    pub fn is_success(&self) -> bool {
        matches!(self, Outcome::Exited { code: 0, .. })
    }
}

impl StepState {
    /// Says whether the step takes one of the places that the limit allows.
    pub(super) fn takes_place(&self) -> bool {
        match self {
            StepState::Waiting | StepState::Delayed | StepState::Ready | StepState::Ended(_) => {
                false
            }
            StepState::Pulling
            | StepState::PullDelayed
            | StepState::Starting
            | StepState::Running
            | StepState::AwaitingHealth
            | StepState::RetryDelayed
            | StepState::Stopping(_) => true,
        }
    }
}

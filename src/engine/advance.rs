//! The one door through which a run changes.

use super::{
    Action, Event, Millis, Outcome, Phase, RunState, RunStatus, StepState, Timer, Verdict,
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
    let mut actions = Vec::new();
    run.apply(event, at, &mut actions)?;
    Ok((run, actions))
}

impl RunState {
    /// Does what `advance` does, in place.
    pub(super) fn apply(
        &mut self,
        event: &Event,
        at: Millis,
        actions: &mut Vec<Action>,
    ) -> Result<(), IllegalEvent> {
        self.check_step(event)?;
        self.touched.extend(event.step());
        match event {
            Event::Begun => self.begin(at, actions)?,
            Event::SetupFailed { fault } => {
                let reason = format!("could not set up the run: {}", fault.explained());
                self.stop_all(RunStatus::Errored, &reason, at, actions);
            }
            Event::Abandoned { reason } => self.stop_all(RunStatus::Errored, reason, at, actions),
            Event::CancelRequested { reason } => {
                self.stop_all(RunStatus::Canceled, reason, at, actions);
            }
            Event::Fired {
                timer: Timer::RunTimeout,
            } => self.run_out(at, actions),
            Event::Tidied => self.tidied()?,
            Event::Fired { timer } => self.fired(*timer, at, actions),
            Event::Pulled { step, fault } => self.pulled(*step, fault.as_ref(), at, actions),
            Event::Started {
                step,
                attempt,
                has_health_check,
                ..
            } => {
                self.check_attempt(event, *step, *attempt)?;
                self.started(*step, *attempt, *has_health_check, at, actions);
            }
            Event::Healthy { step, attempt } => {
                self.check_attempt(event, *step, *attempt)?;
                self.healthy(*step, *attempt, at, actions);
            }
            Event::Ended {
                step,
                attempt,
                outcome,
            } => {
                self.check_attempt(event, *step, *attempt)?;
                self.attempt_ended(*step, *attempt, outcome, at, actions);
            }
            Event::Stopped { step, attempt } => {
                self.check_attempt(event, *step, *attempt)?;
                self.stopped(*step, *attempt, at, actions);
            }
            Event::Reissued { step, attempt } => self.check_attempt(event, *step, *attempt)?,
        }
        self.settle(actions);
        Ok(())
    }

    fn begin(&mut self, at: Millis, actions: &mut Vec<Action>) -> Result<(), IllegalEvent> {
        match self.phase {
            Phase::New => {}
            // Cancelled while the network and volumes were made.
            Phase::Stopping | Phase::Tidying => return Ok(()),
            Phase::Active | Phase::Ended => return Err(self.illegal("begun")),
        }
        self.phase = Phase::Active;
        self.began_at = Some(at);
        if let Some(timeout) = self.settings.timeout {
            actions.push(Action::Set {
                timer: Timer::RunTimeout,
                due: at.saturating_add(timeout),
            });
        }
        for step in 0..self.steps.len() as u32 {
            if self.step(step).parents_left == 0 {
                self.release(step, at, actions);
            }
        }
        self.fill(at, actions);
        Ok(())
    }

    /// Ends the run for a reason that no step gave.
    fn stop_all(&mut self, status: RunStatus, reason: &str, at: Millis, actions: &mut Vec<Action>) {
        self.end_run(
            Verdict {
                status,
                reason: Some(reason.to_owned()),
                step: None,
            },
            at,
            actions,
        );
    }

    fn run_out(&mut self, at: Millis, actions: &mut Vec<Action>) {
        let seconds = self.settings.timeout.unwrap_or(0) / 1000;
        let reason = format!("the run took longer than its timeout of {seconds} s");
        self.stop_all(RunStatus::TimedOut, &reason, at, actions);
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
    fn settle(&mut self, actions: &mut Vec<Action>) {
        let is_open = matches!(self.phase, Phase::Active | Phase::Stopping);
        if !is_open || self.open > 0 {
            return;
        }
        self.verdict.get_or_insert(Verdict {
            status: RunStatus::Succeeded,
            reason: None,
            step: None,
        });
        self.phase = Phase::Tidying;
        if self.settings.timeout.is_some() && self.began_at.is_some() {
            actions.push(Action::Unset {
                timer: Timer::RunTimeout,
            });
        }
        actions.push(Action::Tidy);
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

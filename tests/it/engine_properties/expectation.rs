//! How often a step is tried and how it ends, told a second time and more simply: from its outcomes alone.

use std::collections::BTreeMap;

use careen::{
    engine::{Event, FaultKind, Outcome, StepStatus},
    spec::{Step, StepKind},
};
use proptest::prelude::*;

use super::{wild::Wild, world::Moment};

/// What is to follow the outcomes of a step's attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Attempt,
    End(StepStatus),
}

/// Compares what follows each outcome with what the step asks for. Stops and timeouts are told elsewhere.
pub fn check(wild: &Wild, moments: &[Moment]) -> Result<(), TestCaseError> {
    let mut outcomes: BTreeMap<u32, Vec<Option<Outcome>>> = BTreeMap::new();
    for pair in moments.windows(2) {
        let (before, now) = (&pair[0], &pair[1]);
        let Some((step, outcome)) = outcome(before, now) else {
            continue;
        };
        let so_far = outcomes.entry(step).or_default();
        so_far.push(outcome);
        let expected = next(wild.plan.step(step), so_far);
        let status = now.state.step_status(step);
        match expected {
            Next::End(ending) => prop_assert_eq!(status, ending, "{:?}", so_far),
            // The time may be over at this very moment.
            Next::Attempt if status == StepStatus::TimedOut => {}
            Next::Attempt => prop_assert_eq!(status, StepStatus::Running, "{:?}", so_far),
        }
    }
    Ok(())
}

/// The outcome that a moment brings to the attempt that the world waits for; `None` in it is a service in service.
fn outcome(before: &Moment, now: &Moment) -> Option<(u32, Option<Outcome>)> {
    let (step, attempt, outcome) = match &now.event {
        Event::Ended {
            step,
            attempt,
            outcome,
        } => (*step, *attempt, Some(outcome.clone())),
        Event::Started { step, attempt, .. } | Event::Healthy { step, attempt } => {
            let is_over = now.state.step_status(*step) == StepStatus::Succeeded;
            (*step, *attempt, is_over.then_some(None)?)
        }
        _ => return None,
    };
    let known = before.outstanding.attempts.get(&(step, attempt))?;
    let is_over = before.state.step_status(step).is_ended();
    let outcome = outcome.map(|it| if known.is_watched { unhealthy(it) } else { it });
    (!is_over && !known.is_stopping).then_some((step, outcome))
}

/// A service that ends before it is healthy is of no use, whatever it says.
fn unhealthy(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Exited { cause, matched, .. } => Outcome::Exited {
            code: 1,
            cause,
            matched,
        },
        faulted @ Outcome::Faulted { .. } => faulted,
    }
}

fn next(step: &Step, outcomes: &[Option<Outcome>]) -> Next {
    let (mut retries, mut repeats) = match step.kind {
        StepKind::Push(_) => (0, 0),
        StepKind::Cmd(_) | StepKind::Build(_) => (step.retries, step.repeat),
    };
    let each = retries;
    let mut worst = StepStatus::Succeeded;
    for outcome in outcomes {
        let status = status(outcome.as_ref());
        if status != StepStatus::Succeeded && is_worth_a_retry(outcome.as_ref()) && retries > 0 {
            retries -= 1;
            continue;
        }
        if status != StepStatus::Succeeded {
            worst = status;
        }
        if repeats == 0 || is_lost(outcome.as_ref()) || outcome.is_none() {
            return Next::End(worst);
        }
        repeats -= 1;
        retries = each;
    }
    Next::Attempt
}

fn status(outcome: Option<&Outcome>) -> StepStatus {
    match outcome {
        None | Some(Outcome::Exited { code: 0, .. }) => StepStatus::Succeeded,
        Some(Outcome::Exited { .. }) => StepStatus::Failed,
        Some(Outcome::Faulted { .. }) => StepStatus::Errored,
    }
}

fn is_worth_a_retry(outcome: Option<&Outcome>) -> bool {
    let matched = match outcome {
        None => false,
        Some(Outcome::Exited { matched, .. } | Outcome::Faulted { matched, .. }) => *matched,
    };
    matched && !is_lost(outcome)
}

fn is_lost(outcome: Option<&Outcome>) -> bool {
    let fault = match outcome {
        Some(Outcome::Faulted { fault, .. }) => fault,
        _ => return false,
    };
    matches!(fault.kind, FaultKind::Lost | FaultKind::Engine)
}

//! Promises of the state machine: any plan, any legal answers in any order, a cancel at any moment.

mod answers;
mod expectation;
mod wild;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use careen::engine::{
    Action, Event, Phase, RunState, RunStatus, StepState, StepStatus, Timer, advance,
};
use proptest::prelude::*;

use wild::{Wild, wild};
use world::{Moment, run};

/// The attempts that a moment starts.
fn starts(moment: &Moment) -> impl Iterator<Item = (u32, u32)> + '_ {
    moment.actions.iter().filter_map(|action| match action {
        Action::Start { step, attempt } => Some((*step, *attempt)),
        _ => None,
    })
}

fn steps(state: &RunState) -> std::ops::Range<u32> {
    0..state.plan().steps().len() as u32
}

fn ended_well(state: &RunState, step: u32) -> bool {
    state.step_status(step) == StepStatus::Succeeded || state.step(step).ignored
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_run_ends_with_everything_tidied_once(wild in wild()) {
        let moments = run(&wild);
        let tidied = moments.iter().filter(|it| it.actions.contains(&Action::Tidy));
        prop_assert_eq!(tidied.count(), 1);
        let last = moments.last().expect("at least the end");
        prop_assert_eq!(&last.event, &Event::Tidied);
        prop_assert!(last.outstanding.pulls.is_empty() && last.outstanding.clocks.is_empty());
        let services = last.outstanding.attempts.keys();
        for (step, _) in services {
            prop_assert!(wild.plan.step(*step).detach, "step {} was left behind", step);
        }
    }

    #[test]
    fn each_attempt_starts_once_and_they_count_from_one(wild in wild()) {
        let mut last = BTreeMap::new();
        for (step, attempt) in run(&wild).iter().flat_map(starts) {
            let before = last.insert(step, attempt).unwrap_or(0);
            prop_assert_eq!(attempt, before + 1);
        }
    }

    #[test]
    fn a_step_never_starts_before_all_its_parents_have_ended_well(wild in wild()) {
        for moment in run(&wild) {
            let pulls = moment.actions.iter().filter_map(|action| match action {
                Action::Pull { step } => Some(*step),
                _ => None,
            });
            for step in starts(&moment).map(|(step, _)| step).chain(pulls) {
                for parent in wild.plan.parents(step) {
                    prop_assert!(ended_well(&moment.state, parent), "{step} before {parent}");
                }
            }
        }
    }

    #[test]
    fn no_more_steps_are_under_way_than_the_limit_allows(wild in wild()) {
        for moment in run(&wild) {
            let it = &moment.outstanding;
            let steps = it.attempts.keys().map(|(step, _)| *step).chain(it.pulls.keys().copied());
            let under_way: BTreeSet<u32> = steps
                .filter(|step| !moment.state.step_status(*step).is_ended())
                .collect();
            prop_assert!(under_way.len() <= wild.settings.parallel as usize, "{under_way:?}");
        }
    }

    #[test]
    fn a_step_is_held_back_only_while_the_limit_is_reached(wild in wild()) {
        for moment in run(&wild) {
            let state = &moment.state;
            let takes = |step: &u32| state.step_status(*step) == StepStatus::Running;
            let is_full = steps(state).filter(takes).count() >= wild.settings.parallel as usize;
            for step in steps(state).filter(|step| state.step(*step).state == StepState::Ready) {
                let why = state.reason(step).unwrap_or_default();
                prop_assert!(is_full && why.contains("--parallel"), "{step}: {why}");
            }
        }
    }

    #[test]
    fn nothing_starts_once_the_run_is_decided(wild in wild()) {
        let moments = run(&wild);
        let decided = moments.iter().filter(|it| it.state.verdict().is_some());
        // A run without steps begins and is decided in one moment.
        for moment in decided.filter(|it| it.event != Event::Begun) {
            for action in &moment.actions {
                let winds_down = matches!(
                    action,
                    Action::Stop { .. } | Action::Remove { .. } | Action::Unset { .. } | Action::Tidy
                );
                prop_assert!(winds_down, "{action:?}");
            }
        }
    }

    #[test]
    fn every_step_has_an_ending_and_the_counts_agree(wild in wild()) {
        let moments = run(&wild);
        for moment in &moments {
            let state = &moment.state;
            let open = steps(state).filter(|step| !state.step_status(*step).is_ended());
            prop_assert_eq!(open.count(), state.open() as usize);
        }
        let end = &moments.last().expect("at least the end").state;
        prop_assert_eq!(end.open(), 0);
        for step in steps(end) {
            let it = end.step(step);
            prop_assert!(it.ended_at.is_some() && it.started_at <= it.ended_at);
            let is_skipped = end.step_status(step) == StepStatus::Skipped;
            prop_assert_eq!(is_skipped, it.started_at.is_none());
        }
    }

    #[test]
    fn an_ending_is_final(wild in wild()) {
        let moments = run(&wild);
        for pair in moments.windows(2) {
            let (before, after) = (&pair[0].state, &pair[1].state);
            for step in steps(before).filter(|step| before.step_status(*step).is_ended()) {
                prop_assert_eq!(&before.step(step).state, &after.step(step).state);
                prop_assert_eq!(before.step(step).ended_at, after.step(step).ended_at);
            }
            if before.verdict().is_some() {
                prop_assert_eq!(before.verdict(), after.verdict());
            }
        }
    }

    #[test]
    fn every_step_that_changed_was_reported_as_touched(wild in wild()) {
        let mut before = RunState::new(wild.plan.clone(), wild.settings);
        for moment in run(&wild) {
            let at = moment.at;
            let (mut after, _) = advance(before.clone(), &moment.event, at).expect("legal");
            let touched = after.take_touched();
            let changed = |step: &u32| before.step_status(*step) != after.step_status(*step);
            for step in steps(&after).filter(changed) {
                prop_assert!(touched.contains(&step), "{step} after {:?}", moment.event);
            }
            before = after;
        }
    }

    #[test]
    fn no_attempt_starts_after_its_steps_timeout(wild in wild()) {
        let mut deadlines = BTreeMap::new();
        for moment in run(&wild) {
            for (step, attempt) in starts(&moment) {
                let timeout = 1000 * wild.plan.step(step).timeout_seconds as i64;
                let deadline = *deadlines.entry(step).or_insert(moment.at + timeout);
                prop_assert!(moment.at < deadline, "attempt {attempt} of {step} starts too late");
            }
            if let Event::Fired { timer: Timer::StepTimeout(step) } = moment.event {
                deadlines.insert(step, i64::MIN);
            }
        }
    }

    #[test]
    fn attempts_and_endings_are_what_retries_and_repeat_ask_for(wild in wild()) {
        expectation::check(&wild, &run(&wild))?;
    }

    #[test]
    fn the_first_reason_decides_the_run(wild in wild()) {
        let moments = run(&wild);
        let mut before = RunState::new(wild.plan.clone(), wild.settings);
        let mut expected = None;
        for moment in &moments {
            expected = expected.or_else(|| reason(&wild, moment, &before));
            before = moment.state.clone();
        }
        let verdict = before.verdict().expect("a verdict");
        prop_assert_eq!(verdict.status, expected.unwrap_or(RunStatus::Succeeded));
        prop_assert_eq!(before.status(), verdict.status);
    }

    #[test]
    fn the_state_is_the_fold_of_the_stored_events(wild in wild()) {
        let mut state = RunState::new(wild.plan.clone(), wild.settings);
        for moment in run(&wild) {
            let stored = serde_json::to_string(&moment.event).expect("plain data");
            let event: Event = serde_json::from_str(&stored).expect("what was stored");
            prop_assert_eq!(&event, &moment.event);
            let (next, actions) = advance(state, &event, moment.at).expect("legal");
            prop_assert_eq!(actions, moment.actions);
            for step in steps(&next) {
                prop_assert_eq!(next.step(step), moment.state.step(step));
            }
            prop_assert_eq!(next.phase(), moment.state.phase());
            state = next;
        }
    }

    #[test]
    fn what_is_outstanding_can_be_told_from_the_state_at_any_moment(wild in wild()) {
        let open = |it: &Moment| it.state.phase() != Phase::Ended;
        for moment in run(&wild).into_iter().filter(open) {
            same_attempts(&moment)?;
            same_pulls(&moment)?;
            same_clocks(&moment)?;
            let is_tidying = moment.state.phase() == Phase::Tidying;
            prop_assert_eq!(is_tidying, moment.outstanding.tidying);
        }
    }
}

/// Why a moment would end the run, were it the first that does.
fn reason(wild: &Wild, moment: &Moment, before: &RunState) -> Option<RunStatus> {
    if before.verdict().is_some() {
        return None;
    }
    match moment.event {
        Event::CancelRequested { .. } => return Some(RunStatus::Canceled),
        Event::SetupFailed { .. } => return Some(RunStatus::Errored),
        Event::Fired {
            timer: Timer::RunTimeout,
        } => return Some(RunStatus::TimedOut),
        _ => {}
    }
    let newly = |step: &u32| !before.step_status(*step).is_ended();
    steps(before)
        .filter(newly)
        .filter(|step| !wild.plan.step(*step).ignore_errors)
        .find_map(|step| match moment.state.step_status(step) {
            StepStatus::Failed => Some(RunStatus::Failed),
            StepStatus::Errored => Some(RunStatus::Errored),
            StepStatus::TimedOut => Some(RunStatus::TimedOut),
            _ => None,
        })
}

fn same_attempts(moment: &Moment) -> Result<(), TestCaseError> {
    let expected = moment.state.expected();
    let keys: Vec<_> = expected.iter().map(|it| (it.step, it.attempt)).collect();
    let known: Vec<_> = moment.outstanding.attempts.keys().copied().collect();
    prop_assert_eq!(&keys, &known);
    for it in expected {
        let known = moment.outstanding.attempts[&(it.step, it.attempt)];
        prop_assert_eq!(it.stopping, known.is_stopping);
        prop_assert!(!it.starting || !known.has_started || known.is_stopping);
        let is_over = moment.state.step_status(it.step).is_ended();
        prop_assert!(it.serves || !is_over, "{:?}", it);
    }
    Ok(())
}

fn same_pulls(moment: &Moment) -> Result<(), TestCaseError> {
    let known = moment.outstanding.pulls.iter();
    let pulls = known.map(|(&step, &is_stopping)| match is_stopping {
        true => Action::Stop { step, attempt: 0 },
        false => Action::Pull { step },
    });
    prop_assert_eq!(moment.state.expected_pulls(), pulls.collect::<Vec<_>>());
    Ok(())
}

fn same_clocks(moment: &Moment) -> Result<(), TestCaseError> {
    let now = moment.at;
    let mut expected = BTreeMap::new();
    for action in moment.state.expected_timers(now) {
        if let Action::Set { timer, due } = action {
            expected.insert(timer, due);
        }
    }
    let known = &moment.outstanding.clocks;
    prop_assert!(
        expected.keys().eq(known.keys()),
        "{expected:?} for {known:?}"
    );
    for (timer, due) in expected {
        let is_limit = matches!(timer, Timer::StepTimeout(_) | Timer::RunTimeout);
        let is_right = if is_limit {
            due == known[&timer]
        } else {
            due >= known[&timer]
        };
        prop_assert!(is_right, "{timer:?} at {due}, not {}", known[&timer]);
    }
    Ok(())
}

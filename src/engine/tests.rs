//! Claims about the state machine that stories and properties do not make.

use std::sync::Arc;

use super::{
    Action, Event, Fault, FaultKind, IllegalEvent, Millis, Outcome, Phase, RunState, RunStatus,
    Settings, StepStatus, Timer, advance,
};
use crate::{
    plan::Plan,
    spec::{Step, StepKind, Task, When},
};

const AT: Millis = 1_000;

fn cmd(id: &str, parents: &[&str]) -> Step {
    Step {
        id: id.to_owned(),
        when: match parents {
            [] => When::Immediately,
            ids => When::After(ids.iter().map(ToString::to_string).collect()),
        },
        ..Step::plain(StepKind::Cmd(Box::default()))
    }
}

fn fresh(steps: Vec<Step>, parallel: u32) -> RunState {
    let task = Task {
        steps,
        ..Task::default()
    };
    let settings = Settings {
        parallel,
        wait_healthy: false,
        timeout: None,
    };
    RunState::new(Arc::new(Plan::new(task).unwrap()), settings)
}

fn after(state: RunState, events: &[Event]) -> Result<(RunState, Vec<Action>), IllegalEvent> {
    let mut all = Vec::new();
    let mut state = state;
    for event in events {
        let (next, actions) = advance(state, event, AT)?;
        state = next;
        all.extend(actions);
    }
    Ok((state, all))
}

fn foreseen(actions: &[Action]) -> Vec<u32> {
    let step = |action: &Action| match action {
        Action::Foresee { step, .. } => Some(*step),
        _ => None,
    };
    actions.iter().filter_map(step).collect()
}

fn started(step: u32) -> Event {
    Event::Started {
        step,
        attempt: 1,
        container: String::new(),
        has_health_check: false,
    }
}

fn exited(step: u32, attempt: u32) -> Event {
    Event::Ended {
        step,
        attempt,
        outcome: Outcome::Exited {
            code: 0,
            cause: None,
            matched: true,
        },
    }
}

#[test]
fn what_cannot_happen_is_refused_by_name() {
    let pulled = Event::Pulled {
        step: 9,
        fault: None,
    };
    let delay = Event::Fired {
        timer: Timer::StartDelay(9),
    };
    let cases: &[(&[Event], &str)] = &[
        (
            &[Event::Begun, Event::Begun],
            "begun cannot happen to the run while it is active",
        ),
        (
            &[Event::Tidied],
            "tidied cannot happen to the run while it is new",
        ),
        (
            &[Event::Begun, exited(0, 2)],
            "ended cannot happen to attempt 2 of step 0 while it is unknown",
        ),
        (
            &[pulled],
            "pulled cannot happen to step 9 while it is unknown",
        ),
        (
            &[delay],
            "fired cannot happen to step 9 while it is unknown",
        ),
    ];
    for (events, why) in cases {
        let error = after(fresh(vec![cmd("a", &[])], 1), events).unwrap_err();
        assert_eq!(error.to_string(), *why);
    }
}

#[test]
fn a_run_that_has_ended_hears_late_news_and_does_nothing() {
    let events = [Event::Begun, exited(0, 1), Event::Tidied];
    let (ended, _) = after(fresh(vec![cmd("a", &[])], 1), &events).unwrap();
    let cancel = Event::CancelRequested {
        reason: "late".to_owned(),
    };
    let timeout = Event::Fired {
        timer: Timer::RunTimeout,
    };
    let (state, actions) = after(ended, &[exited(0, 1), cancel, timeout]).unwrap();
    assert_eq!(actions, []);
    assert_eq!(state.phase(), Phase::Ended);
    assert_eq!(state.status(), RunStatus::Succeeded);
}

#[test]
fn children_are_foreseen_once_in_file_order_and_no_more_than_may_start() {
    let children = ["b", "c", "d"].map(|id| cmd(id, &["a"]));
    let steps: Vec<Step> = [cmd("a", &[])].into_iter().chain(children).collect();
    let (state, actions) = after(fresh(steps, 2), &[Event::Begun]).unwrap();
    assert!(foreseen(&actions).is_empty());
    let (state, actions) = after(state, &[started(0), started(0)]).unwrap();
    assert_eq!(foreseen(&actions), [1, 2]);
    let (_, actions) = after(state, &[exited(0, 1), exited(1, 1)]).unwrap();
    assert_eq!(foreseen(&actions), [3]);
}

#[test]
fn a_step_with_many_parents_is_foreseen_when_the_last_of_them_runs() {
    let mut steps: Vec<Step> = ["a", "b", "c"].map(|id| cmd(id, &[])).into();
    steps.push(cmd("d", &["a", "b", "c"]));
    let (state, actions) = after(fresh(steps, 9), &[Event::Begun, started(0), started(1)]).unwrap();
    assert!(foreseen(&actions).is_empty());
    let (_, actions) = after(state, &[exited(1, 1), started(2)]).unwrap();
    assert_eq!(foreseen(&actions), [3]);
}

#[test]
fn what_waits_for_a_service_or_a_build_is_foreseen_when_that_is_to_start() {
    let service = Step {
        detach: true,
        ..cmd("service", &[])
    };
    let build = Step {
        kind: StepKind::Build(Box::default()),
        ..cmd("build", &[])
    };
    let steps = vec![service, build, cmd("test", &["service", "build"])];
    let (_, actions) = after(fresh(steps, 9), &[Event::Begun]).unwrap();
    assert_eq!(foreseen(&actions), [2]);
}

#[test]
fn only_containers_that_nothing_goes_before_are_foreseen() {
    let steps = vec![
        cmd("a", &[]),
        Step {
            pull: true,
            ..cmd("pulled", &["a"])
        },
        Step {
            start_delay_seconds: 1,
            ..cmd("late", &["a"])
        },
        Step {
            kind: StepKind::Build(Box::default()),
            ..cmd("built", &["a"])
        },
        cmd("near", &["a"]),
    ];
    let (_, actions) = after(fresh(steps, 9), &[Event::Begun, started(0)]).unwrap();
    assert_eq!(foreseen(&actions), [4]);
}

#[test]
fn the_longest_wait_of_a_task_file_is_no_overflow() {
    let forever = Step {
        start_delay_seconds: u64::MAX,
        ..cmd("a", &[])
    };
    let (state, actions) = after(fresh(vec![forever], 1), &[Event::Begun]).unwrap();
    let set = Action::Set {
        timer: Timer::StartDelay(0),
        due: Millis::MAX,
    };
    assert_eq!(actions, std::slice::from_ref(&set));
    assert_eq!(state.expected_timers(AT), [set]);
}

#[test]
fn an_event_is_stored_under_its_own_word() {
    let fault = Fault {
        kind: FaultKind::Image,
        message: "no such image".to_owned(),
        hint: "Pull it".to_owned(),
    };
    assert_eq!(fault.explained(), "no such image. Pull it");
    for event in [
        Event::Begun,
        exited(0, 1),
        Event::SetupFailed { fault },
        Event::Fired {
            timer: Timer::StepTimeout(3),
        },
        Event::Tidied,
    ] {
        let stored = serde_json::to_value(&event).unwrap();
        assert_eq!(stored["kind"], event.kind());
        assert_eq!(serde_json::from_value::<Event>(stored).unwrap(), event);
    }
}

#[test]
fn every_status_can_be_read_back_from_its_word() {
    for status in RunStatus::ALL {
        assert_eq!(status.as_str().parse(), Ok(*status));
    }
    for status in StepStatus::ALL {
        assert_eq!(status.to_string().parse(), Ok(*status));
    }
    assert!("done".parse::<RunStatus>().is_err());
}

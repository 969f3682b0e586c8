//! The pure core alone: reading and planning 10,000 steps, and events through the state machine.
//!
//! `cargo bench --bench core`. The goals: planned in under 100 ms, at least 200,000 events a second.

use std::{sync::Arc, time::Instant};

use careen::{
    engine::{Action, Event, Outcome, RunState, Settings, advance},
    plan::Plan,
    spec::{alias::Aliases, parse},
};

/// Steps of the task.
const STEPS: usize = 10_000;

fn main() {
    for (name, when) in [("side by side", "['-']"), ("one after another", "[]")] {
        let step = |i| format!("  - id: s{i}\n    cmd: busybox true\n    when: {when}\n");
        let text = format!("steps:\n{}", (0..STEPS).map(step).collect::<String>());
        let start = Instant::now();
        let (task, _) = parse(&text, &Aliases::default());
        let plan = Plan::new(task.expect("a valid task")).expect("a plan");
        let planned = start.elapsed().as_secs_f64() * 1000.0;
        let (events, seconds) = play(Arc::new(plan));
        let rate = events as f64 / seconds;
        println!(
            "{STEPS} steps {name}: read and planned in {planned:.0} ms; {rate:.0} events a second"
        );
    }
}

/// Plays a run in which everything succeeds at once; returns the events and the seconds they took.
fn play(plan: Arc<Plan>) -> (usize, f64) {
    let settings = Settings {
        parallel: 256,
        wait_healthy: false,
        timeout: None,
    };
    let start = Instant::now();
    let mut state = RunState::new(plan, settings);
    let mut events = vec![Event::Begun];
    let mut count = 0;
    while let Some(event) = events.pop() {
        let (next, actions) = advance(state, &event, count as i64).expect("a legal event");
        state = next;
        count += 1;
        events.extend(actions.into_iter().flat_map(answer));
    }
    (count, start.elapsed().as_secs_f64())
}

fn answer(action: Action) -> Vec<Event> {
    match action {
        Action::Start { step, attempt } => vec![
            Event::Ended {
                step,
                attempt,
                outcome: Outcome::Exited {
                    code: 0,
                    cause: None,
                    matched: true,
                },
            },
            Event::Started {
                step,
                attempt,
                container: "c".to_owned(),
                has_health_check: false,
            },
        ],
        Action::Tidy => vec![Event::Tidied],
        _ => Vec::new(),
    }
}

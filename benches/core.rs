//! The pure core alone: reading and planning 10,000 steps, events through the state machine, a long Dockerfile.
//!
//! `cargo bench --bench core`. The goals: planned in under 100 ms, at least 200,000 events a second, a Dockerfile of
//! 2,000 lines in under 5 ms.

use std::{sync::Arc, time::Instant};

use careen::{
    dockerfile::{Dockerfile, Options},
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
    println!(
        "a Dockerfile of 2,000 lines: read and followed in {:.2} ms",
        scan()
    );
}

/// Finds what a Dockerfile of 2,000 lines stands on, in milliseconds: the best of ten, for the first one warms up.
fn scan() -> f64 {
    let stage = |number: usize| {
        let before = match number {
            0 => "first".to_owned(),
            _ => format!("s{}", number - 1),
        };
        format!(
            "ARG BASE=alpine\nFROM --platform=$BUILDPLATFORM golang:${{GO:-1}} AS s{number}\n\
             COPY --from=nginx:1 /a \\\n  # why\n  /b\nRUN --mount=type=bind,from=busybox,target=/x \\\n  x\n\
             RUN <<EOF\nFROM nothing\necho here\nEOF\nRUN one && \\\n two\nENV A=b\nCOPY --from={before} x y\n"
        )
    };
    let stages: String = (0..134).map(stage).collect();
    let text = format!("ARG GO=1.22\nFROM scratch AS first\n{stages}");
    assert!(text.lines().count() >= 2_000, "{}", text.lines().count());
    let times = (0..10).map(|_| {
        let start = Instant::now();
        let (file, _) = Dockerfile::read(&text);
        let (bases, _) = file.expect("a Dockerfile").bases(&Options::default());
        assert!(bases.expect("bases").places.len() > 300);
        start.elapsed().as_secs_f64() * 1000.0
    });
    times.fold(f64::INFINITY, f64::min)
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

//! Plans, settings and chances as they come.

use std::sync::Arc;

use careen::{
    engine::Settings,
    plan::Plan,
    spec::{Push, Step, StepKind, Task, When},
};
use proptest::{collection::vec, option, prelude::*};

/// The most steps of a plan.
const STEPS: usize = 9;

/// What one run is tried with: its plan, its settings, and what chance gives its world to choose by.
#[derive(Debug, Clone)]
pub struct Wild {
    pub plan: Arc<Plan>,
    pub settings: Settings,
    pub chances: Vec<u16>,
}

/// Any plan under any settings with any chances.
pub fn wild() -> impl Strategy<Value = Wild> {
    (
        vec(step(), 0..=STEPS),
        settings(),
        vec(any::<u16>(), 0..200),
    )
        .prop_map(|(shapes, settings, chances)| Wild {
            plan: Arc::new(plan(shapes)),
            settings,
            chances,
        })
}

fn settings() -> impl Strategy<Value = Settings> {
    (
        1u32..4,
        any::<bool>(),
        option::weighted(0.3, 1_000i64..60_000),
    )
        .prop_map(|(parallel, wait_healthy, timeout)| Settings {
            parallel,
            wait_healthy,
            timeout,
        })
}

/// A step and the steps before it that it waits for, as bits; `None` says nothing.
type Shape = (Step, Option<u16>);

fn step() -> impl Strategy<Value = Shape> {
    (
        kind(),
        pulling(),
        again(),
        times(),
        flags(),
        option::weighted(0.8, any::<u16>()),
    )
        .prop_map(
            |(kind, (pull, pull_retries), (retries, repeat, asks), times, flags, parents)| {
                let (timeout, start_delay, retry_delay) = times;
                let (ignore_errors, detach, keep) = flags;
                let step = Step {
                    timeout_seconds: timeout,
                    start_delay_seconds: start_delay,
                    retries,
                    retry_delay_seconds: retry_delay,
                    retry_on_errors: asks.into_iter().collect(),
                    repeat,
                    ignore_errors,
                    detach,
                    keep,
                    pull,
                    pull_retries,
                    pull_retry_delay_seconds: retry_delay,
                    ..Step::plain(kind)
                };
                (step, parents)
            },
        )
}

fn kind() -> impl Strategy<Value = StepKind> {
    prop_oneof![
        6 => Just(StepKind::Cmd(Box::default())),
        1 => Just(StepKind::Build(Box::default())),
        1 => Just(StepKind::Push(Push::default())),
    ]
}

fn pulling() -> impl Strategy<Value = (bool, u32)> {
    (prop::bool::weighted(0.2), 0u32..3)
}

fn again() -> impl Strategy<Value = (u32, u32, Option<String>)> {
    let seldom = || prop_oneof![2 => Just(0u32), 1 => 1u32..3];
    (
        seldom(),
        seldom(),
        option::weighted(0.2, Just("reset".to_owned())),
    )
}

fn times() -> impl Strategy<Value = (u64, u64, u64)> {
    let delay = || prop_oneof![2 => Just(0u64), 1 => 1u64..9];
    (1u64..30, delay(), delay())
}

fn flags() -> impl Strategy<Value = (bool, bool, bool)> {
    let seldom = || prop::bool::weighted(0.25);
    (seldom(), seldom(), seldom())
}

fn plan(shapes: Vec<Shape>) -> Plan {
    let named = shapes
        .into_iter()
        .enumerate()
        .map(|(position, (mut step, parents))| {
            step.id = format!("s{position}");
            step.when = parents.map_or(When::Previous, |bits| when(position, bits));
            step
        });
    let task = Task {
        steps: named.collect(),
        ..Task::default()
    };
    Plan::new(task).expect("parents come first")
}

fn when(position: usize, bits: u16) -> When {
    let parents: Vec<String> = (0..position)
        .filter(|parent| bits >> parent & 1 == 1)
        .map(|parent| format!("s{parent}"))
        .collect();
    match parents.is_empty() {
        true => When::Immediately,
        false => When::After(parents),
    }
}

//! What the world can say next, and how chance chooses among it.

use careen::{
    engine::{Event, Fault, FaultKind, Outcome, Timer},
    spec::StepKind,
};

use super::world::{Attempt, World};

/// Every so many chances something is said that nobody waits for.
const MISCHIEF: usize = 12;

/// The next event. What it answers is no longer outstanding; a clock that goes off late moves time on.
pub fn next(world: &mut World) -> Event {
    let event = choose(world);
    if let Event::Fired { timer } = event
        && let Some(due) = world.outstanding.clocks.remove(&timer)
    {
        world.now = world.now.max(due);
    }
    settle(world, &event);
    if event.step().is_some() {
        world.said.push(event.clone());
    }
    event
}

fn choose(world: &mut World) -> Event {
    let Some(chance) = world.chance() else {
        let calm = calm(world);
        return calm.expect("something is always outstanding before the end");
    };
    if chance % MISCHIEF == 0 {
        let mut mischief = mischief(world);
        return mischief.swap_remove(chance / MISCHIEF % mischief.len());
    }
    world.now += (chance % 7 * 300) as i64;
    let mut answers = answers(world);
    assert!(!answers.is_empty(), "nothing is outstanding before the end");
    answers.swap_remove(chance / 7 % answers.len())
}

/// What can be said at any moment.
fn mischief(world: &World) -> Vec<Event> {
    let mut events = vec![Event::CancelRequested {
        reason: "canceled by the user".to_owned(),
    }];
    let late = world.said.iter().rev().take(20);
    // A pull is answered once and bears no number; everything else may be said twice.
    events.extend(
        late.filter(|it| !matches!(it, Event::Pulled { .. } | Event::Fired { .. }))
            .cloned(),
    );
    events.extend(
        world
            .forgotten
            .iter()
            .map(|timer| Event::Fired { timer: *timer }),
    );
    events
}

/// Every legal answer to what is outstanding.
fn answers(world: &World) -> Vec<Event> {
    let it = &world.outstanding;
    let mut events: Vec<Event> = Vec::new();
    if it.setup {
        let fault = fault(FaultKind::Engine);
        events.extend([
            Event::Begun,
            Event::Begun,
            Event::Begun,
            Event::SetupFailed { fault },
        ]);
    }
    if it.tidying {
        events.push(Event::Tidied);
    }
    for (&step, &is_stopping) in &it.pulls {
        let faults = [FaultKind::Image, FaultKind::Registry].map(|kind| Some(fault(kind)));
        let pulled = faults.into_iter().chain([None, None]);
        events.extend(pulled.map(|fault| Event::Pulled { step, fault }));
        events.extend(is_stopping.then_some(Event::Stopped { step, attempt: 0 }));
    }
    for (&(step, attempt), &known) in &it.attempts {
        of_attempt(world, (step, attempt), known, &mut events);
    }
    events.extend(it.clocks.keys().map(|timer| Event::Fired { timer: *timer }));
    events
}

fn of_attempt(world: &World, (step, attempt): (u32, u32), known: Attempt, events: &mut Vec<Event>) {
    let is_container = matches!(world.plan.step(step).kind, StepKind::Cmd(_));
    let asks = !world.plan.step(step).retry_on_errors.is_empty();
    if is_container && !known.has_started {
        events.extend([false, true].map(|check| started(step, attempt, check)));
    } else {
        events.push(ended(step, attempt, exited(0, true)));
        events.push(ended(step, attempt, exited(1, true)));
        events.extend(asks.then(|| ended(step, attempt, exited(2, false))));
        let lost = Outcome::Faulted {
            fault: fault(FaultKind::Lost),
            matched: !asks,
        };
        events.push(ended(step, attempt, lost));
    }
    if !known.has_started {
        events.push(ended(step, attempt, exited(127, true)));
        let away = Outcome::Faulted {
            fault: fault(FaultKind::Registry),
            matched: true,
        };
        events.push(ended(step, attempt, away));
    }
    if known.is_watched {
        events.extend([
            Event::Healthy { step, attempt },
            Event::Healthy { step, attempt },
        ]);
    }
    if known.is_stopping {
        events.extend([
            Event::Stopped { step, attempt },
            Event::Stopped { step, attempt },
        ]);
    }
}

/// What moves the run on when nothing goes wrong: clocks that delay it only when nothing else does.
fn calm(world: &World) -> Option<Event> {
    let it = &world.outstanding;
    if it.setup && !it.tidying {
        return Some(Event::Begun);
    }
    if it.tidying {
        return Some(Event::Tidied);
    }
    if let Some((&step, &is_stopping)) = it.pulls.first_key_value() {
        return Some(match is_stopping {
            true => Event::Stopped { step, attempt: 0 },
            false => Event::Pulled { step, fault: None },
        });
    }
    let busy = it
        .attempts
        .iter()
        .find_map(|(key, known)| calm_attempt(world, *key, *known));
    busy.or_else(|| {
        let delays = |timer: &&Timer| !matches!(timer, Timer::StepTimeout(_) | Timer::RunTimeout);
        let timer = *it.clocks.keys().find(delays)?;
        Some(Event::Fired { timer })
    })
}

fn calm_attempt(world: &World, (step, attempt): (u32, u32), known: Attempt) -> Option<Event> {
    let it = world.plan.step(step);
    let is_container = matches!(it.kind, StepKind::Cmd(_));
    if known.is_stopping {
        Some(Event::Stopped { step, attempt })
    } else if is_container && !known.has_started {
        Some(started(step, attempt, false))
    } else if known.is_watched {
        Some(Event::Healthy { step, attempt })
    } else if is_container && it.detach {
        // A service runs on.
        None
    } else {
        Some(ended(step, attempt, exited(0, true)))
    }
}

/// Takes what an event answers from what is outstanding.
fn settle(world: &mut World, event: &Event) {
    let it = &mut world.outstanding;
    match *event {
        Event::Begun | Event::SetupFailed { .. } => it.setup = false,
        Event::Tidied => it.tidying = false,
        Event::Pulled { step, .. } | Event::Stopped { step, attempt: 0 } => {
            it.pulls.remove(&step);
        }
        Event::Started { step, attempt, .. } => {
            if let Some(known) = it.attempts.get_mut(&(step, attempt)) {
                known.has_started = true;
            }
        }
        Event::Healthy { step, attempt } => {
            if let Some(known) = it.attempts.get_mut(&(step, attempt)) {
                known.is_watched = false;
            }
        }
        Event::Ended { step, attempt, .. } | Event::Stopped { step, attempt } => {
            it.attempts.remove(&(step, attempt));
        }
        Event::Fired { .. }
        | Event::Abandoned { .. }
        | Event::CancelRequested { .. }
        | Event::Reissued { .. }
        | Event::Based { .. }
        | Event::Kept { .. } => {}
    }
}

fn started(step: u32, attempt: u32, has_health_check: bool) -> Event {
    Event::Started {
        step,
        attempt,
        container: format!("c{step}-{attempt}"),
        has_health_check,
    }
}

fn ended(step: u32, attempt: u32, outcome: Outcome) -> Event {
    Event::Ended {
        step,
        attempt,
        outcome,
    }
}

fn exited(code: i64, matched: bool) -> Outcome {
    let cause = (code == 127).then(|| "no such command".to_owned());
    Outcome::Exited {
        code,
        cause,
        matched,
    }
}

fn fault(kind: FaultKind) -> Fault {
    Fault {
        kind,
        message: "away".to_owned(),
        hint: "Look there".to_owned(),
    }
}

//! A world without an engine: it keeps what a run wants done and answers in any order that chance gives.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use careen::{
    engine::{Action, Event, Millis, Phase, RunState, Timer, advance},
    plan::Plan,
};

use super::{answers, wild::Wild};

/// What the world knows of an attempt that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempt {
    pub has_started: bool,
    pub is_watched: bool,
    pub is_stopping: bool,
}

/// What is to be answered.
#[derive(Debug, Clone, Default)]
pub struct Outstanding {
    pub attempts: BTreeMap<(u32, u32), Attempt>,
    /// Steps whose image is pulled, and whether that is to be stopped.
    pub pulls: BTreeMap<u32, bool>,
    pub clocks: BTreeMap<Timer, Millis>,
    pub setup: bool,
    pub tidying: bool,
}

/// One event, what it brought about, and how everything stood after it.
#[derive(Debug, Clone)]
pub struct Moment {
    pub at: Millis,
    pub event: Event,
    pub actions: Vec<Action>,
    pub state: RunState,
    pub outstanding: Outstanding,
}

/// One run in its world.
pub struct World {
    pub plan: Arc<Plan>,
    pub now: Millis,
    pub outstanding: Outstanding,
    /// What was said already and may be said again.
    pub said: Vec<Event>,
    /// Clocks that were forgotten, perhaps too late.
    pub forgotten: BTreeSet<Timer>,
    chances: std::vec::IntoIter<u16>,
}

/// Runs to the end and tells every moment of it. Once there are no chances left all goes well.
pub fn run(wild: &Wild) -> Vec<Moment> {
    let mut world = World {
        plan: wild.plan.clone(),
        now: 1_000_000,
        outstanding: Outstanding {
            setup: true,
            ..Outstanding::default()
        },
        said: Vec::new(),
        forgotten: BTreeSet::new(),
        chances: wild.chances.clone().into_iter(),
    };
    let mut state = RunState::new(wild.plan.clone(), wild.settings);
    let mut moments = Vec::new();
    let longest = wild.chances.len() + longest_calm(&wild.plan);
    while state.phase() != Phase::Ended {
        assert!(moments.len() <= longest, "no end after {longest} events");
        let event = answers::next(&mut world);
        let (next, actions) = advance(state, &event, world.now).expect("a legal event");
        actions.iter().for_each(|action| world.wants(action));
        moments.push(Moment {
            at: world.now,
            event,
            actions,
            state: next.clone(),
            outstanding: world.outstanding.clone(),
        });
        state = next;
    }
    moments
}

/// As many events as a run can take at most when all goes well.
fn longest_calm(plan: &Plan) -> usize {
    let each = |step: &careen::spec::Step| {
        let attempts = (step.retries + 1) * (step.repeat + 1);
        // Started, healthy or clock, and ended; pulls with their waits; start delay and timeout.
        (attempts * 4 + (step.pull_retries + 1) * 2 + 4) as usize
    };
    plan.steps().iter().map(each).sum::<usize>() + 4
}

impl World {
    /// What chance gives next; `None` when there is none left.
    pub fn chance(&mut self) -> Option<usize> {
        self.chances.next().map(usize::from)
    }

    fn wants(&mut self, action: &Action) {
        let it = &mut self.outstanding;
        match *action {
            Action::Pull { step } => drop(it.pulls.insert(step, false)),
            Action::Start { step, attempt } => {
                let before = it.attempts.insert((step, attempt), Attempt::default());
                assert_eq!(
                    before, None,
                    "attempt {attempt} of step {step} started twice"
                );
            }
            Action::WatchHealth { step, attempt } => {
                it.attempt(step, attempt).is_watched = true;
            }
            Action::Stop { step, attempt: 0 } => {
                *it.pulls.get_mut(&step).expect("a pull under way") = true;
            }
            Action::Stop { step, attempt } => it.attempt(step, attempt).is_stopping = true,
            Action::Set { timer, due } => {
                let before = it.clocks.insert(timer, due);
                assert_eq!(before, None, "{timer:?} was set already");
            }
            Action::Unset { timer } => {
                it.clocks.remove(&timer);
                self.forgotten.insert(timer);
            }
            Action::Tidy => {
                assert!(!it.tidying, "tidied twice");
                it.tidying = true;
            }
            Action::Foresee { .. } | Action::Remove { .. } => {}
        }
    }
}

impl Outstanding {
    fn attempt(&mut self, step: u32, attempt: u32) -> &mut Attempt {
        let found = self.attempts.get_mut(&(step, attempt));
        found.expect("an attempt under way")
    }
}

//! A run of the state machine alone, told in verbs: what happens to it, and what it then wants done.

use std::{collections::BTreeMap, sync::Arc};

use careen::{
    engine::{
        Action, Event, Fault, FaultKind, Millis, Outcome, RunState, Settings, Timer, advance,
    },
    plan::Plan,
    spec::{Step, StepKind, Task, When},
};

/// A step that runs a container after the one above it; `say` changes what is to be different.
pub fn step(id: &str, say: impl FnOnce(&mut Step)) -> Step {
    let mut step = Step::plain(StepKind::Cmd(Box::default()));
    step.id = id.to_owned();
    say(&mut step);
    step
}

/// A step that runs a container as soon as the run begins, or after the steps named.
pub fn after(id: &str, parents: &[&str]) -> Step {
    step(id, |it| {
        it.when = match parents {
            [] => When::Immediately,
            ids => When::After(ids.iter().map(ToString::to_string).collect()),
        };
    })
}

/// A run and the clocks it has set.
pub struct Story {
    state: Option<RunState>,
    now: Millis,
    clocks: BTreeMap<Timer, Millis>,
    wanted: Vec<String>,
}

impl Story {
    /// A run that has not begun, with room for all its steps.
    pub fn of(steps: Vec<Step>) -> Story {
        let roomy = Settings {
            parallel: 100,
            wait_healthy: false,
            timeout: None,
        };
        Story::with(steps, roomy)
    }

    /// A run that has not begun.
    pub fn with(steps: Vec<Step>, settings: Settings) -> Story {
        let task = Task {
            steps,
            ..Task::default()
        };
        let plan = Arc::new(Plan::new(task).expect("a plan"));
        Story {
            state: Some(RunState::new(plan, settings)),
            now: 1_000_000,
            clocks: BTreeMap::new(),
            wanted: Vec::new(),
        }
    }

    /// A run that has begun.
    pub fn begun(steps: Vec<Step>) -> Story {
        let mut run = Story::of(steps);
        run.begins();
        run
    }

    /// The run as it stands.
    pub fn state(&self) -> &RunState {
        self.state.as_ref().expect("a state")
    }

    /// Claims what was wanted since this was last asked, hints and clocks aside.
    #[track_caller]
    pub fn wants(&mut self, what: &[&str]) {
        assert_eq!(std::mem::take(&mut self.wanted), what);
    }

    pub fn begins(&mut self) {
        self.happens(&Event::Begun);
    }

    pub fn cancels(&mut self) {
        self.happens(&Event::CancelRequested {
            reason: "canceled by the user".to_owned(),
        });
    }

    pub fn setup_fails(&mut self, message: &str) {
        let fault = fault(FaultKind::Engine, message);
        self.happens(&Event::SetupFailed { fault });
    }

    pub fn starts(&mut self, id: &str) {
        self.starts_with(id, false);
    }

    /// A container has started whose image has a health check.
    pub fn starts_checked(&mut self, id: &str) {
        self.starts_with(id, true);
    }

    fn starts_with(&mut self, id: &str, has_health_check: bool) {
        let (step, attempt) = self.present(id);
        self.happens(&Event::Started {
            step,
            attempt,
            container: format!("{id}-{attempt}"),
            has_health_check,
        });
    }

    pub fn is_healthy(&mut self, id: &str) {
        let (step, attempt) = self.present(id);
        self.happens(&Event::Healthy { step, attempt });
    }

    /// The present attempt of a step exits, and its output holds what `retryOnErrors` asks for.
    pub fn exits(&mut self, id: &str, code: i64) {
        self.ends(id, exit(code, true));
    }

    /// The present attempt of a step exits, and its output holds nothing that `retryOnErrors` asks for.
    pub fn exits_unmatched(&mut self, id: &str, code: i64) {
        self.ends(id, exit(code, false));
    }

    /// The present attempt of a step could not be made.
    pub fn faults(&mut self, id: &str, kind: FaultKind, message: &str) {
        let fault = fault(kind, message);
        self.ends(
            id,
            Outcome::Faulted {
                fault,
                matched: true,
            },
        );
    }

    fn ends(&mut self, id: &str, outcome: Outcome) {
        let (_, attempt) = self.present(id);
        self.attempt_ends(id, attempt, outcome);
    }

    /// An attempt ends, be it the present one or not.
    pub fn attempt_ends(&mut self, id: &str, attempt: u32, outcome: Outcome) {
        let (step, _) = self.present(id);
        self.happens(&Event::Ended {
            step,
            attempt,
            outcome,
        });
    }

    pub fn is_stopped(&mut self, id: &str) {
        let (step, attempt) = self.present(id);
        self.happens(&Event::Stopped { step, attempt });
    }

    pub fn is_pulled(&mut self, id: &str) {
        let (step, _) = self.present(id);
        self.happens(&Event::Pulled { step, fault: None });
    }

    pub fn cannot_be_pulled(&mut self, id: &str) {
        let (step, _) = self.present(id);
        let fault = Some(fault(FaultKind::Registry, "the registry is away"));
        self.happens(&Event::Pulled { step, fault });
    }

    pub fn is_tidied(&mut self) {
        self.happens(&Event::Tidied);
    }

    /// Lets time pass; clocks go off when they are due.
    pub fn seconds_pass(&mut self, seconds: Millis) {
        let end = self.now + seconds * 1000;
        while let Some((timer, due)) = self.next_clock(end) {
            self.clocks.remove(&timer);
            self.now = self.now.max(due);
            self.happens(&Event::Fired { timer });
        }
        self.now = end;
    }

    fn next_clock(&self, end: Millis) -> Option<(Timer, Millis)> {
        let due = self.clocks.iter().filter(|(_, due)| **due <= end);
        due.min_by_key(|(_, due)| **due)
            .map(|(timer, due)| (*timer, *due))
    }

    /// A step's status and the reason for it, as `status` or `status: reason`.
    pub fn step(&self, id: &str) -> String {
        let (step, _) = self.present(id);
        let status = self.state().step_status(step);
        match self.state().reason(step) {
            Some(reason) => format!("{status}: {reason}"),
            None => status.to_string(),
        }
    }

    /// How the run ends, as `status` or `status: reason`.
    pub fn verdict(&self) -> String {
        match self.state().verdict() {
            None => "open".to_owned(),
            Some(verdict) => match &verdict.reason {
                Some(reason) => format!("{}: {reason}", verdict.status),
                None => verdict.status.to_string(),
            },
        }
    }

    /// The position of a step and its present attempt.
    fn present(&self, id: &str) -> (u32, u32) {
        let step = self.state().plan().position(id).expect("a known step");
        (step, self.state().step(step).attempt)
    }

    fn happens(&mut self, event: &Event) {
        let state = self.state.take().expect("a state");
        let (state, actions) = advance(state, event, self.now).expect("a legal event");
        for action in actions {
            match action {
                Action::Set { timer, due } => drop(self.clocks.insert(timer, due)),
                Action::Unset { timer } => drop(self.clocks.remove(&timer)),
                Action::Foresee { .. } => {}
                action => self.wanted.push(in_words(state.plan(), &action)),
            }
        }
        self.state = Some(state);
    }
}

/// An exit of which nothing else is known.
pub fn exit(code: i64, matched: bool) -> Outcome {
    Outcome::Exited {
        code,
        cause: None,
        matched,
    }
}

fn fault(kind: FaultKind, message: &str) -> Fault {
    Fault {
        kind,
        message: message.to_owned(),
        hint: String::new(),
    }
}

fn in_words(plan: &Plan, action: &Action) -> String {
    let id = |step: &u32| plan.step(*step).id.clone();
    match action {
        Action::Pull { step } => format!("pull {}", id(step)),
        Action::Start { step, attempt } => format!("start {} {attempt}", id(step)),
        Action::WatchHealth { step, .. } => format!("watch {}", id(step)),
        Action::Stop { step, attempt: 0 } => format!("stop pulling {}", id(step)),
        Action::Stop { step, attempt } => format!("stop {} {attempt}", id(step)),
        Action::Remove { step, attempt } => format!("remove {} {attempt}", id(step)),
        Action::Tidy => "tidy".to_owned(),
        Action::Foresee { .. } | Action::Set { .. } | Action::Unset { .. } => String::new(),
    }
}

//! Where a run and each of its steps stand.

use std::{collections::BTreeSet, sync::Arc};

use super::{Ending, Millis, Verdict};
use crate::plan::Plan;

/// What holds for the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How many steps may be under way at once; at least 1.
    pub parallel: u32,
    /// Whether dependents of a detached step wait until its container is healthy.
    pub wait_healthy: bool,
    /// How long the whole run may take, in milliseconds; `None` is no limit.
    pub timeout: Option<Millis>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing has happened.
    New,
    /// Steps start and end.
    Active,
    /// Nothing new starts; what runs is being stopped.
    Stopping,
    /// All steps have ended; what the run made is being removed.
    Tidying,
    /// Nothing more will happen.
    Ended,
}

/// Why an attempt is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The step's timeout is over.
    TimedOut,
    /// The run ends.
    Canceled,
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// Some parents have not succeeded yet.
    Waiting,
    /// Its `startDelay` runs.
    Delayed,
    /// Held back by the limit on steps at once.
    Ready,
    /// Its image is being pulled because it says `pull`.
    Pulling,
    /// Waiting to pull again.
    PullDelayed,
    /// An attempt is being started.
    Starting,
    /// An attempt's container runs.
    Running,
    /// A detached container runs, its health check has not passed yet.
    AwaitingHealth,
    /// Waiting to try again.
    RetryDelayed,
    /// An attempt or pull is being stopped.
    Stopping(StopReason),
    /// Over.
    Ended(Ending),
}

/// A step's state with what led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepProgress {
    /// Where it stands.
    pub state: StepState,
    /// Parents that have not succeeded yet.
    pub(super) parents_left: u32,
    /// Whether its container may have been made ahead already.
    pub(super) foreseen: bool,
    /// The last attempt made, from 1; 0 before the first.
    pub attempt: u32,
    /// Tries of the present iteration so far.
    pub(super) tries: u32,
    /// Iterations that are over.
    pub(super) iterations: u32,
    /// Tries of the explicit pull so far.
    pub(super) pulls: u32,
    /// The last ending of an iteration that did not succeed.
    pub(super) worst: Option<Ending>,
    /// When it began: with its pull where it has one, else with its first attempt.
    pub started_at: Option<Millis>,
    /// When its timeout is over, while that clock runs: from the first attempt on.
    pub(super) deadline: Option<Millis>,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// Whether its ending was ignored, as `ignoreErrors` asks.
    pub ignored: bool,
    /// Whether a detached container of it runs.
    pub serves: bool,
    /// The exit code of a detached container that ended before the run did.
    pub service_exit: Option<i64>,
    /// The earlier run that did it, where it is not done again.
    pub kept_from: Option<String>,
}

/// The whole state of a run.
#[derive(Debug, Clone)]
pub struct RunState {
    pub(super) plan: Arc<Plan>,
    pub(super) settings: Settings,
    pub(super) phase: Phase,
    pub(super) steps: Vec<StepProgress>,
    /// Steps held back by the limit, in file order.
    pub(super) ready: BTreeSet<u32>,
    /// Steps that take one of the places that the limit allows.
    pub(super) under_way: u32,
    /// Steps that have not ended.
    pub(super) open: u32,
    pub(super) verdict: Option<Verdict>,
    pub(super) began_at: Option<Millis>,
    /// Steps that changed since they were last asked for.
    pub(super) touched: BTreeSet<u32>,
}

impl RunState {
    /// Makes the state of a run of which nothing has happened.
    pub fn new(plan: Arc<Plan>, settings: Settings) -> Self {
        let steps: Vec<StepProgress> = (0..plan.steps().len() as u32)
            .map(|step| StepProgress {
                state: StepState::Waiting,
                parents_left: plan.parents(step).count() as u32,
                foreseen: false,
                attempt: 0,
                tries: 0,
                iterations: 0,
                pulls: 0,
                worst: None,
                started_at: None,
                deadline: None,
                ended_at: None,
                ignored: false,
                serves: false,
                service_exit: None,
                kept_from: None,
            })
            .collect();
        Self {
            open: steps.len() as u32,
            plan,
            settings,
            phase: Phase::New,
            steps,
            ready: BTreeSet::new(),
            under_way: 0,
            verdict: None,
            began_at: None,
            touched: BTreeSet::new(),
        }
    }

    /// The plan that is run.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Where the run stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Where a step stands.
    pub fn step(&self, position: u32) -> &StepProgress {
        &self.steps[position as usize]
    }

    /// How the run ends; known as soon as it is decided, before everything is removed.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// How many steps have not ended.
    pub fn open(&self) -> u32 {
        self.open
    }

    /// Lists the steps that changed since this was last called, in file order.
    pub fn take_touched(&mut self) -> BTreeSet<u32> {
        std::mem::take(&mut self.touched)
    }

    pub(super) fn touch(&mut self, position: u32) {
        self.touched.insert(position);
    }

    pub(super) fn step_mut(&mut self, position: u32) -> &mut StepProgress {
        &mut self.steps[position as usize]
    }
}

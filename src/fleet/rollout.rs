//! Rollouts: named sets of tasks that are brought up to date within limits.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Action, Fleet, Id, State};

/// A named set of tasks, and how they are brought up to date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// Its id; unique.
    pub id: String,
    /// The tasks.
    pub tasks: BTreeSet<String>,
    /// How many of them may be built at once; no limit without.
    pub max_parallel: Option<u32>,
    /// The task that must succeed, with all it stands on, before another is begun.
    pub canary: Option<String>,
    /// Whether it goes on.
    pub state: RolloutState,
    /// When it was asked for.
    pub since: DateTime<Utc>,
}

/// Whether a rollout goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    /// It does.
    Running,
    /// Nothing more is begun until someone says so.
    Paused,
    /// Nothing more is begun.
    Canceled,
    /// All there was to do is done.
    Done,
    /// It begins others when its time comes.
    Scheduled,
}

/// How far a rollout is, by task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Progress {
    /// What it is wanted to be.
    pub fresh: usize,
    /// Being built.
    pub building: usize,
    /// To be built next.
    pub ready: usize,
    /// Waiting for one of the others.
    pub held: usize,
    /// Not to be had without help: failed, or standing on one that is.
    pub stuck: usize,
}

impl RolloutState {
    /// The word used in the database, the API and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            RolloutState::Running => "running",
            RolloutState::Paused => "paused",
            RolloutState::Canceled => "canceled",
            RolloutState::Done => "done",
            RolloutState::Scheduled => "scheduled",
        }
    }

    /// Says whether nothing more comes of it.
    pub fn is_over(self) -> bool {
        matches!(self, RolloutState::Canceled | RolloutState::Done)
    }
}

impl Rollout {
    /// Counts how its tasks stand.
    pub fn progress(&self, fleet: &Fleet) -> Progress {
        let mut progress = Progress::default();
        for id in self.ids(fleet) {
            *match &fleet.standing(id).state {
                State::Fresh | State::Watched => &mut progress.fresh,
                State::Building { .. } => &mut progress.building,
                State::Ready(_) => &mut progress.ready,
                State::Held {
                    is_stuck: false, ..
                } => &mut progress.held,
                State::Held { .. } | State::Failed { .. } | State::Unseen => &mut progress.stuck,
            } += 1;
        }
        progress
    }

    fn ids<'a>(&'a self, fleet: &'a Fleet) -> impl Iterator<Item = Id> + 'a {
        self.tasks
            .iter()
            .filter_map(|task| fleet.graph().task(task))
    }

    /// How many more of its tasks may be begun.
    fn room(&self, fleet: &Fleet) -> usize {
        let building = self.progress(fleet).building;
        let most = self.max_parallel.map_or(usize::MAX, |it| it as usize);
        most.saturating_sub(building)
    }

    /// The tasks that it may begin now: only the canary and what that stands on, until the canary is fresh.
    fn open(&self, fleet: &Fleet) -> HashSet<Id> {
        let canary = self.canary.as_deref().and_then(|it| fleet.graph().task(it));
        let unproven = canary.filter(|&id| fleet.standing(id).state != State::Fresh);
        let Some(canary) = unproven else {
            return self.ids(fleet).collect();
        };
        let mut first = fleet.graph().ancestors(&[canary]);
        first.insert(canary);
        self.ids(fleet).filter(|id| first.contains(id)).collect()
    }
}

impl Progress {
    /// Says whether nothing is left that time alone would bring.
    pub fn is_over(&self) -> bool {
        self.building + self.ready + self.held == 0
    }
}

/// What the running rollouts let be done now, each action once.
pub fn admitted<'a>(fleet: &'a Fleet, rollouts: &[Rollout]) -> Vec<&'a Action> {
    let mut taken = HashSet::new();
    let mut actions = Vec::new();
    let running = rollouts
        .iter()
        .filter(|it| it.state == RolloutState::Running);
    for rollout in running {
        let open = rollout.open(fleet);
        let mut room = rollout.room(fleet);
        for (id, action) in fleet.actions().filter(|(id, _)| open.contains(id)) {
            // One that another rollout begins takes room here as well.
            if room == 0 {
                break;
            }
            room -= 1;
            if taken.insert(id) {
                actions.push(action);
            }
        }
    }
    actions
}

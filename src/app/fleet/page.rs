//! The fleet as one page shows it: counts, what is stale, groups by level, what is around an image, rollouts.
//!
//! Everything is read from what is known; no registry is asked, so the page of a large fleet opens at once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{App, AppError},
    rollouts::{LEFT_LISTED, LeftTask, RolloutView, left_task, view},
};
use crate::{
    fleet::{Fleet, Id, Kind, State},
    ports::RolloutRow,
};

/// How many nodes of the graph are shown at most.
const AROUND: usize = 200;
/// How many stale tasks are listed at most; the counts tell how many there are.
const STALE: usize = 500;
/// How many rollouts are listed.
const ROLLOUTS: u32 = 20;

/// The fleet as one page shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FleetPage {
    /// How many of each.
    pub counts: FleetCounts,
    /// The first of what is not what it should be, and why, bases first.
    pub stale: Vec<LeftTask>,
    /// How many nodes each level has, from the bases on.
    pub levels: Vec<LevelCounts>,
    /// What is around the image that was asked for, or around what is stale.
    pub graph: FleetGraph,
    /// The last rollouts, newest first.
    pub rollouts: Vec<RolloutView>,
}

/// How many nodes are in each state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FleetCounts {
    /// Tasks that make images.
    pub tasks: usize,
    /// Images that others make.
    pub foreign: usize,
    /// Tasks that are what they should be.
    pub fresh: usize,
    /// Tasks that a run builds just now.
    pub building: usize,
    /// Tasks that may be built.
    pub ready: usize,
    /// Tasks that wait for what they stand on.
    pub held: usize,
    /// Tasks whose last build failed.
    pub failed: usize,
}

/// How many nodes of a level are in each state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LevelCounts {
    /// How many stand below in the longest row.
    pub level: u32,
    /// How many nodes it has.
    pub nodes: usize,
    /// How many of them are in each state, by its word.
    pub states: BTreeMap<String, usize>,
}

/// A part of the graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FleetGraph {
    /// The nodes, bases first.
    pub nodes: Vec<FleetNode>,
    /// Places in `nodes`: what is stood on, and what stands on it.
    pub edges: Vec<(usize, usize)>,
    /// Whether there is more than is shown.
    pub is_part: bool,
}

/// One node of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FleetNode {
    /// The task's name, or the image's.
    pub name: String,
    /// Whether a task of ours makes it.
    pub is_task: bool,
    /// The images it stands for.
    pub images: Vec<String>,
    /// How many stand below it in the longest row.
    pub level: u32,
    /// The word for how it stands.
    pub state: String,
    /// What is in the way of its being fresh, in words.
    pub still: Option<String>,
    /// The run that builds it, or did so last.
    pub run: Option<String>,
}

impl App {
    /// Reads the page of the fleet; the graph is what is around a task or image, if one is named.
    pub async fn fleet_page(&self, around: Option<&str>) -> Result<FleetPage, AppError> {
        let gathered = self.known_fleet().await?;
        let around = around.map(|word| gathered.find(word)).transpose()?;
        let rollouts = self.fleet.store.rollouts(false, ROLLOUTS).await?;
        Ok(FleetPage::of(&gathered.fleet, around, rollouts))
    }
}

impl FleetPage {
    /// Makes the page of a fleet: with what is around a node, or around what is stale.
    pub fn of(fleet: &Fleet, around: Option<Id>, rollouts: Vec<RolloutRow>) -> Self {
        let ids = match around {
            Some(id) => fleet.graph().neighbourhood(id, AROUND),
            None => shown(fleet),
        };
        let stale = fleet.outdated().into_iter();
        Self {
            counts: counts(fleet),
            stale: stale
                .filter_map(|id| left_task(fleet, id))
                .take(STALE)
                .collect(),
            levels: levels(fleet),
            graph: graph(fleet, &ids),
            rollouts: rollouts
                .into_iter()
                .map(|it| view(it, fleet, LEFT_LISTED))
                .collect(),
        }
    }
}

fn counts(fleet: &Fleet) -> FleetCounts {
    let mut counts = FleetCounts::default();
    for &id in fleet.graph().order() {
        if fleet.graph().node(id).kind == Kind::Foreign {
            counts.foreign += 1;
            continue;
        }
        counts.tasks += 1;
        *match &fleet.standing(id).state {
            State::Fresh | State::Watched => &mut counts.fresh,
            State::Building { .. } => &mut counts.building,
            State::Ready(_) => &mut counts.ready,
            State::Held { .. } | State::Unseen => &mut counts.held,
            State::Failed { .. } => &mut counts.failed,
        } += 1;
    }
    counts
}

fn levels(fleet: &Fleet) -> Vec<LevelCounts> {
    let mut levels: BTreeMap<u32, LevelCounts> = BTreeMap::new();
    for &id in fleet.graph().order() {
        let level = fleet.graph().level(id);
        let of_level = levels.entry(level).or_default();
        of_level.level = level;
        of_level.nodes += 1;
        let word = fleet.standing(id).state.word().to_owned();
        *of_level.states.entry(word).or_default() += 1;
    }
    levels.into_values().collect()
}

/// What is shown when nothing is asked for: everything, or around the first that is stale, or the first of all.
fn shown(fleet: &Fleet) -> BTreeSet<Id> {
    let order = fleet.graph().order();
    if order.len() <= AROUND {
        return order.iter().copied().collect();
    }
    let first = fleet.outdated().into_iter().next();
    let around = first.or_else(|| order.first().copied());
    let around = around.map(|id| fleet.graph().neighbourhood(id, AROUND));
    around.unwrap_or_default()
}

fn graph(fleet: &Fleet, ids: &BTreeSet<Id>) -> FleetGraph {
    let graph = fleet.graph();
    let in_order = graph.order().iter().copied();
    let shown: Vec<Id> = in_order.filter(|id| ids.contains(id)).collect();
    let places: BTreeMap<Id, usize> = shown.iter().copied().zip(0..).collect();
    let mut edges = BTreeSet::new();
    for (place, &id) in shown.iter().enumerate() {
        let parents = graph.parents(id).filter_map(|it| places.get(&it));
        edges.extend(parents.map(|&parent| (parent, place)));
    }
    FleetGraph {
        nodes: shown.iter().map(|&id| node(fleet, id)).collect(),
        edges: edges.into_iter().collect(),
        is_part: shown.len() < graph.len(),
    }
}

fn node(fleet: &Fleet, id: Id) -> FleetNode {
    let node = fleet.graph().node(id);
    let builds = fleet.facts().task(&node.name).map(|it| &it.builds);
    FleetNode {
        name: node.name.clone(),
        is_task: node.kind == Kind::Task,
        images: node.images.clone(),
        level: fleet.graph().level(id),
        state: fleet.standing(id).state.word().to_owned(),
        still: fleet.still(id),
        run: builds.and_then(|it| Some(it.last()?.run.clone())),
    }
}

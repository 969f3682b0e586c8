//! Says how long a plan will take, from how long its tasks took before.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet},
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Fleet, Graph, Id, State};

/// When one task of a plan would be built, in seconds after the plan begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Slot {
    /// The task.
    pub task: String,
    /// How many bases stand below it in the longest row.
    pub level: u32,
    /// When it would begin.
    pub start_seconds: u64,
    /// When it would end.
    pub end_seconds: u64,
}

/// What would be built, in order, and how long that takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Estimate {
    /// The tasks in the order in which they would begin.
    pub slots: Vec<Slot>,
    /// When the last one would end.
    pub total_seconds: u64,
    /// The row of tasks that no parallelism shortens.
    pub critical_path: Vec<String>,
}

impl Fleet {
    /// The tasks that would be built if these nodes moved, bases first.
    pub fn affected(&self, moved: &[Id]) -> Vec<Id> {
        let below = self.graph.descendants(moved);
        self.graph.tasks_of(&below).collect()
    }

    /// The tasks that are not what they are wanted to be, with all that stands on them, bases first.
    pub fn outdated(&self) -> Vec<Id> {
        let of_tasks = self.graph.tasks_of(self.graph.order());
        of_tasks
            .filter(|&id| self.standing(id).state != State::Fresh)
            .collect()
    }
}

/// Lays the tasks out in time: each begins when all it stands on has ended and one of the places is free; the one with
/// the longest way still before it goes first.
pub fn estimate(
    graph: &Graph,
    tasks: &[Id],
    seconds: impl Fn(&str) -> u64,
    parallel: Option<u32>,
) -> Estimate {
    let set: HashSet<Id> = tasks.iter().copied().collect();
    let in_order = graph.order().iter().copied().filter(|it| set.contains(it));
    let order: Vec<Id> = in_order.collect();
    let lasts: HashMap<Id, u64> = order
        .iter()
        .map(|&id| (id, seconds(&graph.node(id).name)))
        .collect();
    let tails = tails(graph, &order, &lasts);
    let slots = lay_out(graph, &order, &lasts, &tails, parallel.unwrap_or(u32::MAX));
    Estimate {
        total_seconds: slots.iter().map(|it| it.end_seconds).max().unwrap_or(0),
        critical_path: critical_path(graph, &order, &tails),
        slots,
    }
}

/// How long each task and the longest row that stands on it take.
fn tails(graph: &Graph, order: &[Id], lasts: &HashMap<Id, u64>) -> HashMap<Id, u64> {
    let mut tails = HashMap::with_capacity(order.len());
    for &id in order.iter().rev() {
        let after = graph.children(id).filter_map(|child| tails.get(&child));
        let after: u64 = after.copied().max().unwrap_or(0);
        tails.insert(id, lasts[&id] + after);
    }
    tails
}

fn lay_out(
    graph: &Graph,
    order: &[Id],
    lasts: &HashMap<Id, u64>,
    tails: &HashMap<Id, u64>,
    places: u32,
) -> Vec<Slot> {
    let within = |id: Id| graph.parents(id).filter(|it| lasts.contains_key(it));
    let mut waiting: HashMap<Id, usize> =
        order.iter().map(|&id| (id, within(id).count())).collect();
    let rank = |id: Id| (tails[&id], Reverse(id));
    let free = order.iter().copied().filter(|id| waiting[id] == 0);
    let mut ready: BinaryHeap<_> = free.map(rank).collect();
    let mut under_way: BinaryHeap<Reverse<(u64, Id)>> = BinaryHeap::new();
    let (mut slots, mut now) = (Vec::with_capacity(order.len()), 0);
    loop {
        while (under_way.len() as u64) < u64::from(places.max(1))
            && let Some((_, Reverse(id))) = ready.pop()
        {
            let end = now + lasts[&id];
            slots.push(Slot {
                task: graph.node(id).name.clone(),
                level: graph.level(id),
                start_seconds: now,
                end_seconds: end,
            });
            under_way.push(Reverse((end, id)));
        }
        let Some(Reverse((end, id))) = under_way.pop() else {
            return slots;
        };
        now = end;
        for child in graph.children(id) {
            if let Some(left) = waiting.get_mut(&child) {
                *left -= 1;
                if *left == 0 {
                    ready.push(rank(child));
                }
            }
        }
    }
}

/// Follows the longest row from its first task on.
fn critical_path(graph: &Graph, order: &[Id], tails: &HashMap<Id, u64>) -> Vec<String> {
    let longest = |ids: &mut dyn Iterator<Item = Id>| {
        let by_tail: BTreeMap<_, _> = ids.map(|id| ((tails[&id], Reverse(id)), id)).collect();
        by_tail.into_values().next_back()
    };
    let mut path = Vec::new();
    let mut at = longest(&mut order.iter().copied());
    while let Some(id) = at {
        path.push(graph.node(id).name.clone());
        at = longest(&mut graph.children(id).filter(|it| tails.contains_key(it)));
    }
    path
}

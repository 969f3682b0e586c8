//! Compares what is wanted with what was built, and again below whatever changes.

use std::collections::BTreeSet;

use super::{Action, Fact, Facts, Graph, Id, Standing, State, facts::Touched};

/// A graph, what is known of it, and how each of its nodes stands.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    pub(super) graph: Graph,
    pub(super) facts: Facts,
    standings: Vec<Standing>,
    /// Where each node is in the order, so that what changed is judged bases first.
    places: Vec<u32>,
    ready: BTreeSet<Id>,
}

impl Fleet {
    /// Judges every node.
    pub fn new(graph: Graph, facts: Facts) -> Self {
        let mut places = vec![0; graph.len()];
        for (place, id) in graph.order().iter().enumerate() {
            places[id.index()] = place as u32;
        }
        let unknown = Standing {
            state: State::Unseen,
            stale: None,
        };
        let mut fleet = Self {
            standings: vec![unknown; graph.len()],
            places,
            ready: BTreeSet::new(),
            graph,
            facts,
        };
        for id in fleet.graph.order().to_vec() {
            let standing = fleet.judge(id);
            fleet.place(id, standing);
        }
        fleet
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// What is known.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Takes what is known, for a graph that has changed.
    pub fn into_facts(self) -> Facts {
        self.facts
    }

    /// How a node stands.
    pub fn standing(&self, id: Id) -> &Standing {
        &self.standings[id.index()]
    }

    /// What may be done now, in the order of the graph's nodes.
    pub fn actions(&self) -> impl Iterator<Item = (Id, &Action)> {
        self.ready
            .iter()
            .filter_map(|&id| match &self.standing(id).state {
                State::Ready(action) => Some((id, action.as_ref())),
                _ => None,
            })
    }

    /// Learns a fact and judges again what it is about and, as long as something changes, what stands on it. Gives
    /// the nodes that stand otherwise than before.
    pub fn learn(&mut self, fact: &Fact) -> Vec<Id> {
        let touched = match self.facts.learn(fact) {
            Touched::Nothing => return Vec::new(),
            Touched::Image(image) => self.graph.maker(&image),
            Touched::Task(task) => self.graph.task(&task),
        };
        let Some(touched) = touched else {
            return Vec::new();
        };
        // What stands on it reads its tags, so it is judged again whether its maker stands as before or not.
        let mut waiting = BTreeSet::from([self.placed(touched)]);
        waiting.extend(self.graph.children(touched).map(|id| self.placed(id)));
        let mut changed = Vec::new();
        while let Some((_, id)) = waiting.pop_first() {
            let standing = self.judge(id);
            if standing != *self.standing(id) {
                self.place(id, standing);
                changed.push(id);
                waiting.extend(self.graph.children(id).map(|id| self.placed(id)));
            }
        }
        changed
    }

    fn placed(&self, id: Id) -> (u32, Id) {
        (self.places[id.index()], id)
    }

    fn place(&mut self, id: Id, standing: Standing) {
        match standing.state {
            State::Ready(_) => self.ready.insert(id),
            _ => self.ready.remove(&id),
        };
        self.standings[id.index()] = standing;
    }
}

//! What lies below, above and around a node.

use std::collections::{BTreeSet, HashSet, VecDeque};

use petgraph::Direction;

use super::{Graph, Id, Kind};

impl Graph {
    /// What stands directly on this node.
    pub fn children(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        self.nodes.neighbors_directed(id, Direction::Outgoing)
    }

    /// What this node stands directly on.
    pub fn parents(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        self.nodes.neighbors_directed(id, Direction::Incoming)
    }

    /// Everything that stands on one of these, in order, themselves left out unless one stands on another.
    pub fn descendants(&self, of: &[Id]) -> Vec<Id> {
        let reached = self.reach(of, Direction::Outgoing);
        let in_order = self.order().iter().copied();
        in_order.filter(|id| reached.contains(id)).collect()
    }

    /// Everything that one of these stands on.
    pub fn ancestors(&self, of: &[Id]) -> HashSet<Id> {
        self.reach(of, Direction::Incoming)
    }

    /// The tasks among these nodes.
    pub fn tasks_of<'a>(&'a self, ids: &'a [Id]) -> impl Iterator<Item = Id> + 'a {
        let ids = ids.iter().copied();
        ids.filter(|&id| self.node(id).kind == Kind::Task)
    }

    /// At most this many of a node, what it stands on and what stands on it, the nearest first taken.
    pub fn lineage(&self, of: Id, most: usize) -> HashSet<Id> {
        let mut taken = HashSet::from([of]);
        let mut ends = [
            (Direction::Incoming, vec![of]),
            (Direction::Outgoing, vec![of]),
        ];
        while ends.iter().any(|it| !it.1.is_empty()) {
            for (direction, end) in &mut ends {
                let next = end
                    .iter()
                    .flat_map(|it| self.nodes.neighbors_directed(*it, *direction));
                let mut reached = Vec::new();
                for id in next {
                    if taken.len() >= most {
                        return taken;
                    }
                    if taken.insert(id) {
                        reached.push(id);
                    }
                }
                *end = reached;
            }
        }
        taken
    }

    /// At most this many nodes around one, the nearest first taken.
    pub fn neighbourhood(&self, around: Id, most: usize) -> BTreeSet<Id> {
        let mut taken = BTreeSet::from([around]);
        let mut queue = VecDeque::from([around]);
        while let Some(id) = queue.pop_front() {
            for next in self.parents(id).chain(self.children(id)) {
                if taken.len() >= most {
                    return taken;
                }
                if taken.insert(next) {
                    queue.push_back(next);
                }
            }
        }
        taken
    }

    fn reach(&self, of: &[Id], direction: Direction) -> HashSet<Id> {
        let mut reached = HashSet::new();
        let mut stack: Vec<Id> = of.to_vec();
        while let Some(id) = stack.pop() {
            for next in self.nodes.neighbors_directed(id, direction) {
                if reached.insert(next) {
                    stack.push(next);
                }
            }
        }
        reached
    }
}

//! Finds a ring of images, to be shown.

use std::collections::{HashMap, HashSet, VecDeque};

use petgraph::{algo::kosaraju_scc, graph::DiGraph};

use super::{Id, Node};

/// The names along a shortest ring through the first node that is in one; the first comes last again.
pub(super) fn path(nodes: &DiGraph<Node, (), u32>) -> Vec<String> {
    // Not `tarjan_scc`: that one recurses, and a long chain overflows the stack.
    let rings = kosaraju_scc(nodes).into_iter().filter(|it| it.len() > 1);
    let Some(ring) = rings.min_by_key(|ring| ring.iter().min().copied()) else {
        return Vec::new();
    };
    let start = ring.iter().min().copied().unwrap_or_default();
    let ring = around(nodes, start, &ring.into_iter().collect());
    ring.into_iter().map(|id| named(&nodes[id])).collect()
}

/// Walks breadth first from a node until it comes back to it.
fn around(nodes: &DiGraph<Node, (), u32>, start: Id, ring: &HashSet<Id>) -> Vec<Id> {
    let mut came_from: HashMap<Id, Id> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(id) = queue.pop_front() {
        for next in nodes.neighbors(id).filter(|it| ring.contains(it)) {
            if came_from.contains_key(&next) {
                continue;
            }
            came_from.insert(next, id);
            queue.push_back(next);
        }
    }
    let mut path = vec![start];
    let mut at = start;
    while let Some(&before) = came_from.get(&at) {
        path.push(before);
        at = before;
        if at == start {
            break;
        }
    }
    path.reverse();
    path
}

/// Calls a node by its image, as its users do.
fn named(node: &Node) -> String {
    node.images.first().unwrap_or(&node.name).clone()
}

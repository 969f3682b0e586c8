//! Puts bases before what stands on them.

use std::{cmp::Reverse, collections::BinaryHeap};

use petgraph::{Direction, graph::DiGraph};

use super::{Id, Node};

/// Orders the nodes, those that were added first as far forward as may be; nodes of a ring are left out.
pub(super) fn topological(nodes: &DiGraph<Node, (), u32>) -> Vec<Id> {
    let parents = |id| nodes.neighbors_directed(id, Direction::Incoming);
    let mut waiting: Vec<usize> = nodes.node_indices().map(|id| parents(id).count()).collect();
    let mut ready: BinaryHeap<_> = nodes
        .node_indices()
        .filter(|id| waiting[id.index()] == 0)
        .map(Reverse)
        .collect();
    let mut order = Vec::with_capacity(nodes.node_count());
    while let Some(Reverse(id)) = ready.pop() {
        order.push(id);
        for child in nodes.neighbors(id) {
            waiting[child.index()] -= 1;
            if waiting[child.index()] == 0 {
                ready.push(Reverse(child));
            }
        }
    }
    order
}

/// Says how long the longest row of bases below each node is.
pub(super) fn levels(nodes: &DiGraph<Node, (), u32>, order: &[Id]) -> Vec<u32> {
    let mut levels = vec![0; nodes.node_count()];
    for &id in order {
        let below = nodes.neighbors_directed(id, Direction::Incoming);
        let level = below.map(|base| levels[base.index()] + 1).max();
        levels[id.index()] = level.unwrap_or(0);
    }
    levels
}

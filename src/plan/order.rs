//! Orders the steps: one after another, and by level.

use std::{cmp::Reverse, collections::BinaryHeap};

use petgraph::{
    Direction,
    graph::{DiGraph, NodeIndex},
};

/// Kahn's algorithm with a heap, because petgraph's own order does not keep to the file's where it could.
pub(super) fn topological(graph: &DiGraph<u32, (), u32>) -> Vec<u32> {
    let mut waiting = parent_counts(graph);
    let mut ready: BinaryHeap<_> = graph
        .node_indices()
        .filter(|node| waiting[node.index()] == 0)
        .map(Reverse)
        .collect();
    let mut order = Vec::with_capacity(graph.node_count());
    while let Some(Reverse(node)) = ready.pop() {
        order.push(graph[node]);
        for child in graph.neighbors(node) {
            waiting[child.index()] -= 1;
            if waiting[child.index()] == 0 {
                ready.push(Reverse(child));
            }
        }
    }
    order
}

/// Groups the steps by the length of the longest path that leads to them.
pub(super) fn levels(graph: &DiGraph<u32, (), u32>) -> Vec<Vec<u32>> {
    let mut level = vec![0; graph.node_count()];
    let mut levels: Vec<Vec<u32>> = Vec::new();
    for step in topological(graph) {
        let node = NodeIndex::new(step as usize);
        let own = graph
            .neighbors_directed(node, Direction::Incoming)
            .map(|parent| level[parent.index()] + 1)
            .max()
            .unwrap_or(0);
        level[node.index()] = own;
        if levels.len() <= own {
            levels.resize(own + 1, Vec::new());
        }
        levels[own].push(step);
    }
    levels
}

fn parent_counts(graph: &DiGraph<u32, (), u32>) -> Vec<usize> {
    graph
        .node_indices()
        .map(|node| graph.neighbors_directed(node, Direction::Incoming).count())
        .collect()
}

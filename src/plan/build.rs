//! Makes the graph from the steps' `when`.

use std::collections::HashMap;

use petgraph::graph::{DiGraph, NodeIndex};

use crate::spec::{Step, When};

/// Why steps make no plan. A file that was checked never gives one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A step waits for one that is not declared above it.
    #[error("{when} does not exist as a vertex [from: {when}, to: {step}]")]
    UnknownDependency {
        /// The step that waits.
        step: String,
        /// The id it names.
        when: String,
    },
    /// Two steps have one id.
    #[error("{0} already exists as a vertex")]
    DuplicateId(String),
}

/// Makes the graph. Edges only ever lead from an earlier step to a later one, so that no cycle can arise.
pub(super) fn graph(steps: &[Step]) -> Result<DiGraph<u32, (), u32>, PlanError> {
    let mut graph = DiGraph::with_capacity(steps.len(), steps.len());
    let mut seen: HashMap<&str, NodeIndex> = HashMap::with_capacity(steps.len());
    let mut above = None;
    for (position, step) in (0u32..).zip(steps) {
        let node = graph.add_node(position);
        for parent in parents(step, above, &seen)? {
            // `update_edge` makes `when: [a, a]` one edge.
            graph.update_edge(parent, node, ());
        }
        if seen.insert(&step.id, node).is_some() {
            return Err(PlanError::DuplicateId(step.id.clone()));
        }
        above = Some(node);
    }
    Ok(graph)
}

fn parents(
    step: &Step,
    above: Option<NodeIndex>,
    seen: &HashMap<&str, NodeIndex>,
) -> Result<Vec<NodeIndex>, PlanError> {
    match &step.when {
        When::Immediately => Ok(Vec::new()),
        When::Previous => Ok(above.into_iter().collect()),
        When::After(ids) => ids
            .iter()
            .map(|id| {
                seen.get(id.as_str())
                    .copied()
                    .ok_or_else(|| PlanError::UnknownDependency {
                        step: step.id.clone(),
                        when: id.clone(),
                    })
            })
            .collect(),
    }
}

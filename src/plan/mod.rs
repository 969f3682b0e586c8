//! Turns a Task into a Plan, the checked graph of its steps.

mod again;
mod build;
mod critical;
mod order;
mod reach;
mod show;

#[cfg(test)]
mod tests;

use petgraph::graph::{DiGraph, NodeIndex};

pub use build::PlanError;
pub use critical::{CriticalPath, critical_path};
pub use show::{Format, show};

use crate::spec::{Network, Step, Task, Volume};

/// The checked graph of a task's steps; it does not change any more.
#[derive(Debug, Clone)]
pub struct Plan {
    steps: Vec<Step>,
    graph: DiGraph<u32, (), u32>,
    networks: Vec<Network>,
    has_networks: bool,
    volumes: Vec<Volume>,
}

impl Plan {
    /// Plans a task; the edges come from each step's `when`.
    pub fn new(task: Task) -> Result<Self, PlanError> {
        let graph = build::graph(&task.steps)?;
        Ok(Self {
            steps: task.steps,
            graph,
            networks: task.networks,
            has_networks: task.has_networks,
            volumes: task.volumes,
        })
    }

    /// The steps, in file order; their positions are what other calls name them by.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The step at a position.
    pub fn step(&self, position: u32) -> &Step {
        &self.steps[position as usize]
    }

    /// The position of a step by its id.
    pub fn position(&self, id: &str) -> Option<u32> {
        let found = self.steps.iter().position(|step| step.id == id)?;
        u32::try_from(found).ok()
    }

    /// The steps that must have succeeded before this one starts.
    pub fn parents(&self, position: u32) -> impl Iterator<Item = u32> + '_ {
        self.neighbours(position, petgraph::Direction::Incoming)
    }

    /// The steps that wait for this one.
    pub fn children(&self, position: u32) -> impl Iterator<Item = u32> + '_ {
        self.neighbours(position, petgraph::Direction::Outgoing)
    }

    fn neighbours(
        &self,
        position: u32,
        direction: petgraph::Direction,
    ) -> impl Iterator<Item = u32> + '_ {
        self.graph
            .neighbors_directed(NodeIndex::new(position as usize), direction)
            .map(|node| self.graph[node])
    }

    /// The positions in an order that respects the graph, and the file's order where the graph leaves a choice.
    pub fn order(&self) -> Vec<u32> {
        order::topological(&self.graph)
    }

    /// The steps by level: a step's level is one more than its deepest parent's.
    pub fn levels(&self) -> Vec<Vec<u32>> {
        order::levels(&self.graph)
    }

    /// Says for each step whether another container of the run may run at the same time.
    pub fn may_have_peers(&self) -> Vec<bool> {
        reach::may_have_peers(self)
    }

    /// The networks that the file declares.
    pub fn networks(&self) -> &[Network] {
        &self.networks
    }

    /// Whether the file declares networks; without them a default bridge is made.
    pub fn has_networks(&self) -> bool {
        self.has_networks
    }

    /// The secret volumes that the file declares.
    pub fn volumes(&self) -> &[Volume] {
        &self.volumes
    }
}

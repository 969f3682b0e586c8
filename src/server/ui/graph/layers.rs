//! A plan's steps in their levels, with a bend wherever an edge passes a level.

use crate::plan::Plan;

/// Bends of a drawing; an edge beyond them is drawn straight.
const MOST_BENDS: usize = 4000;

/// Nodes in layers: the steps by their positions, then the bends.
#[derive(Debug, Default)]
pub(super) struct Layered {
    /// The nodes of each layer, first to last.
    pub layers: Vec<Vec<usize>>,
    /// The neighbours of each node in the layer before.
    pub before: Vec<Vec<usize>>,
    /// The neighbours of each node in the layer after.
    pub after: Vec<Vec<usize>>,
    /// How many nodes are steps.
    pub steps: usize,
    /// Each edge as the nodes that it passes, from parent to child.
    pub edges: Vec<Vec<usize>>,
}

impl Layered {
    /// Lays a plan's steps in layers.
    pub fn new(plan: &Plan) -> Self {
        let steps = plan.steps().len();
        let mut level = vec![0; steps];
        let mut layered = Self {
            before: vec![Vec::new(); steps],
            after: vec![Vec::new(); steps],
            steps,
            ..Self::default()
        };
        for (number, members) in plan.levels().into_iter().enumerate() {
            let members: Vec<usize> = members.into_iter().map(|it| it as usize).collect();
            members.iter().for_each(|it| level[*it] = number);
            layered.layers.push(members);
        }
        for child in 0..steps {
            let mut parents: Vec<u32> = plan.parents(child as u32).collect();
            parents.sort_unstable();
            for parent in parents {
                let parent = parent as usize;
                layered.connect((parent, level[parent]), (child, level[child]));
            }
        }
        layered
    }

    /// Adds an edge with its bends.
    fn connect(&mut self, (parent, from): (usize, usize), (child, to): (usize, usize)) {
        let mut passed = vec![parent];
        if self.before.len() - self.steps + (to - from) <= MOST_BENDS {
            for level in from + 1..to {
                let bend = self.before.len();
                self.before.push(Vec::new());
                self.after.push(Vec::new());
                self.layers[level].push(bend);
                passed.push(bend);
            }
        }
        passed.push(child);
        for pair in passed.windows(2) {
            self.after[pair[0]].push(pair[1]);
            self.before[pair[1]].push(pair[0]);
        }
        self.edges.push(passed);
    }
}

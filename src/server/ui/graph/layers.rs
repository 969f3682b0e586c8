//! Nodes in their levels, with a bend wherever an edge passes a level.

use crate::plan::Plan;

/// Bends of a drawing, which cost their letters; an edge beyond them is drawn straight.
const MOST_BENDS: usize = 250;

/// What is to be drawn: nodes by their positions, in levels, each with those it waits for or stands on.
#[derive(Debug, Default)]
pub(in crate::server::ui) struct Shape {
    /// The nodes of each level; whom a node waits for is in an earlier one.
    pub levels: Vec<Vec<usize>>,
    /// Whom each node waits for.
    pub parents: Vec<Vec<usize>>,
}

impl From<&Plan> for Shape {
    fn from(plan: &Plan) -> Self {
        let wide = |it: u32| it as usize;
        let levels = plan.levels().into_iter();
        let parents = (0..plan.steps().len()).map(|child| {
            let mut parents: Vec<usize> = plan.parents(child as u32).map(wide).collect();
            parents.sort_unstable();
            parents
        });
        Self {
            levels: levels
                .map(|it| it.into_iter().map(wide).collect())
                .collect(),
            parents: parents.collect(),
        }
    }
}

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
    /// Lays nodes out in their layers.
    pub fn new(shape: &Shape) -> Self {
        let steps = shape.parents.len();
        let mut level = vec![0; steps];
        let mut layered = Self {
            before: vec![Vec::new(); steps],
            after: vec![Vec::new(); steps],
            steps,
            layers: shape.levels.clone(),
            ..Self::default()
        };
        for (number, members) in shape.levels.iter().enumerate() {
            members.iter().for_each(|it| level[*it] = number);
        }
        for (child, parents) in shape.parents.iter().enumerate() {
            for &parent in parents {
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

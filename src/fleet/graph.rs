//! Who stands on whom: tasks with the images they make, and images of others.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use petgraph::graph::{DiGraph, NodeIndex};
use serde::{Deserialize, Serialize};

use super::{cycle, order};
use crate::spec::reference::{Reference, ReferenceError};

/// A node's place in the graph.
pub type Id = NodeIndex<u32>;

/// What one task makes, build after build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Maker {
    /// The task's name.
    pub task: String,
    /// Its builds, in the order of its steps.
    pub builds: Vec<Made>,
}

/// The names that one build gives, and what it stands on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The names that are pushed, complete.
    pub images: Vec<String>,
    /// The images it needs, complete.
    pub bases: Vec<String>,
}

/// Whose images a node stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Those that a task of ours makes.
    Task,
    /// One that someone else makes; it can be watched, not built.
    Foreign,
}

/// A task, or an image that is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The task's name, or the image's.
    pub name: String,
    /// Whose it is.
    pub kind: Kind,
    /// The images it stands for.
    pub images: Vec<String>,
    /// The images of other nodes that it needs, in order of their names.
    pub bases: Vec<String>,
}

/// Why tasks do not make a graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Images stand on each other in a ring.
    #[error("these images stand on each other in a ring, so none can be first: {}", .0.join(" → "))]
    Cycle(Vec<String>),
    /// An image has two makers.
    #[error(
        "both task {first} and task {second} push {image}; let one of them give it another name"
    )]
    TwoMakers {
        /// The image.
        image: String,
        /// The one that was read first.
        first: String,
        /// The other.
        second: String,
    },
}

/// The graph of a fleet, without cycles.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    pub(super) nodes: DiGraph<Node, (), u32>,
    makers: HashMap<String, Id>,
    tasks: HashMap<String, Id>,
    order: Vec<Id>,
    levels: Vec<u32>,
}

/// Completes the name of an image, so that each image has one.
pub fn image_name(written: &str) -> Result<String, ReferenceError> {
    Ok(Reference::parse(written)?.with_default_tag().to_string())
}

/// The digest that an image's own name fixes, if it does.
pub fn fixed_digest(image: &str) -> Option<&str> {
    Some(image.split_once('@')?.1)
}

impl Graph {
    /// Joins what tasks make to what they need.
    pub fn of(makers: &[Maker]) -> Result<Self, GraphError> {
        let mut graph = Self::default();
        for maker in makers {
            graph.add(maker)?;
        }
        for id in graph.nodes.node_indices() {
            for base in graph.nodes[id].bases.clone() {
                let base = graph.maker_or_foreign(base);
                graph.nodes.update_edge(base, id, ());
            }
        }
        graph.order = order::topological(&graph.nodes);
        if graph.order.len() < graph.nodes.node_count() {
            return Err(GraphError::Cycle(cycle::path(&graph.nodes)));
        }
        graph.levels = order::levels(&graph.nodes, &graph.order);
        Ok(graph)
    }

    /// The node of this place.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// Whoever makes the image, or the node of an image that is not ours.
    pub fn maker(&self, image: &str) -> Option<Id> {
        self.makers.get(image).copied()
    }

    /// The node of a task.
    pub fn task(&self, name: &str) -> Option<Id> {
        self.tasks.get(name).copied()
    }

    /// Finds a node by a task's name or an image's, complete or as people write it.
    pub fn find(&self, word: &str) -> Option<Id> {
        let complete = || self.maker(&image_name(word).ok()?);
        self.task(word)
            .or_else(|| self.maker(word))
            .or_else(complete)
    }

    /// All nodes, bases before what stands on them.
    pub fn order(&self) -> &[Id] {
        &self.order
    }

    /// How many nodes stand below this one in the longest row.
    pub fn level(&self, id: Id) -> u32 {
        self.levels[id.index()]
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.node_count()
    }

    /// Says whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn add(&mut self, maker: &Maker) -> Result<(), GraphError> {
        let images: BTreeSet<String> = maker
            .builds
            .iter()
            .flat_map(|it| &it.images)
            .cloned()
            .collect();
        let id = self.nodes.add_node(Node {
            name: maker.task.clone(),
            kind: Kind::Task,
            bases: outside_bases(maker, &images)?,
            images: images.iter().cloned().collect(),
        });
        for image in images {
            if let Some(other) = self.makers.insert(image.clone(), id) {
                return Err(GraphError::TwoMakers {
                    image,
                    first: self.nodes[other].name.clone(),
                    second: maker.task.clone(),
                });
            }
        }
        self.tasks.insert(maker.task.clone(), id);
        Ok(())
    }

    fn maker_or_foreign(&mut self, image: String) -> Id {
        if let Some(id) = self.maker(&image) {
            return id;
        }
        let id = self.nodes.add_node(Node {
            name: image.clone(),
            kind: Kind::Foreign,
            images: vec![image.clone()],
            bases: Vec::new(),
        });
        self.makers.insert(image, id);
        id
    }

    /// Names of the fleet by level, for plans.
    pub fn by_level(&self, ids: impl IntoIterator<Item = Id>) -> Vec<Vec<Id>> {
        let mut levels: BTreeMap<u32, Vec<Id>> = BTreeMap::new();
        for id in ids {
            levels.entry(self.level(id)).or_default().push(id);
        }
        levels.into_values().collect()
    }
}

/// What a task needs from outside. An earlier build of its own is no base; its own image of before would be a ring.
fn outside_bases(maker: &Maker, own: &BTreeSet<String>) -> Result<Vec<String>, GraphError> {
    let (mut made, mut bases) = (HashSet::new(), BTreeSet::new());
    for build in &maker.builds {
        for base in &build.bases {
            if own.contains(base) && !made.contains(base) {
                return Err(GraphError::Cycle(vec![base.clone(), base.clone()]));
            }
            if !made.contains(base) {
                bases.insert(base.clone());
            }
        }
        made.extend(&build.images);
    }
    Ok(bases.into_iter().collect())
}

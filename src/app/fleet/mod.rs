//! The fleet of the stored tasks: gathered from definitions, recorded runs and registries, and brought up to date.
//!
//! Nothing is kept beside the runs: what a run was decided to be built on stands in its cause, what it made in its
//! record. So whoever looks after a crash sees the same fleet.

mod history;
mod makers;
mod patch;
mod tags;

use std::collections::{BTreeSet, HashMap};

use super::{App, AppError};
use crate::{
    fleet::{Facts, Fleet, Graph, Id, Kind},
    ports::{RegistryLogin, TaskFilter},
};

pub use patch::Wave;

/// How long a task is taken to build that never was built, in seconds.
const UNKNOWN_SECONDS: u64 = 60;

/// A fleet as it stands.
pub struct Gathered {
    /// The graph with all that is known of it.
    pub fleet: Fleet,
    /// How long the last good run of each task took, in seconds.
    pub seconds: HashMap<String, u64>,
    /// What could not be read, in words.
    pub remarks: Vec<String>,
}

impl Gathered {
    /// How long a build of the task is likely to take, in seconds.
    pub fn seconds_of(&self, task: &str) -> u64 {
        self.seconds.get(task).copied().unwrap_or(UNKNOWN_SECONDS)
    }

    /// Finds a node by a task's name or an image's.
    pub fn find(&self, word: &str) -> Result<Id, AppError> {
        self.fleet.graph().find(word).ok_or_else(|| {
            AppError::usage(
                format!("nothing in the fleet is called {word}"),
                "careen fleet graph lists its tasks and images",
            )
        })
    }

    /// The tasks that stand on one of these nodes; without any, all that are not what they should be.
    pub fn affected(&self, bases: &[String]) -> Result<Vec<Id>, AppError> {
        if bases.is_empty() {
            return Ok(self.fleet.outdated());
        }
        let moved: Vec<Id> = bases
            .iter()
            .map(|it| self.find(it))
            .collect::<Result<_, _>>()?;
        Ok(self.fleet.affected(&moved))
    }
}

impl App {
    /// Gathers all that is known of the fleet, and asks the registries what each tag holds now.
    pub async fn fleet(&self, logins: &[RegistryLogin]) -> Result<Gathered, AppError> {
        let (mut makers, mut facts, mut remarks) = (Vec::new(), Vec::new(), Vec::new());
        for row in self.tasks.tasks(&TaskFilter::default()).await? {
            let name = &row.definition.name;
            match self.maker(&row).await {
                Ok((maker, source)) => {
                    makers.push(maker);
                    facts.push(source);
                }
                Err(error) => remarks.push(format!("task {name} is left out: {error}")),
            }
        }
        let graph = Graph::of(&makers).map_err(|error| {
            AppError::usage(error.to_string(), "Change what one of them stands on")
        })?;
        let mut seconds = HashMap::new();
        let ids: Vec<Id> = graph.order().to_vec();
        for &id in ids.iter().filter(|&&id| graph.node(id).kind == Kind::Task) {
            let node = graph.node(id);
            let history = self.history(&node.name).await?;
            seconds.extend(history.seconds.map(|it| (node.name.clone(), it)));
            facts.extend(history.facts);
        }
        let keyring = self.keyring(logins).await?;
        let images: BTreeSet<&String> = ids.iter().flat_map(|&id| &graph.node(id).images).collect();
        facts.extend(self.look_at(&keyring, images, &mut remarks).await);
        let facts = Facts::fold(&facts);
        let fleet = Fleet::new(graph, facts);
        Ok(Gathered {
            fleet,
            seconds,
            remarks,
        })
    }
}

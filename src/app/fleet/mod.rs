//! The fleet of the stored tasks: known from their definitions, from runs and from registries, and brought up to date.
//!
//! All that is known is recorded in the order in which it was learned (`view.rs` folds it); what is to be done follows
//! from that and from the rollouts. So whoever looks after a crash sees the same fleet.

mod base_moves;
mod building;
mod decided;
mod desk;
mod driver;
mod learning;
mod makers;
mod page;
mod past;
mod patch;
mod rollouts;
mod tags;
mod view;
mod why;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use view::View;

use super::{App, AppError};
use crate::{
    fleet::{Fleet, Id},
    ports::RegistryLogin,
};

pub(super) use base_moves::ByFleet;
pub(super) use decided::Decided;
pub use desk::{FleetDesk, GraphFormat};
pub use driver::FleetDriver;
pub use page::{FleetCounts, FleetGraph, FleetNode, FleetPage, LevelCounts};
pub use patch::Wave;
pub use rollouts::{LeftTask, RolloutChange, RolloutView, RolloutWish};
pub use view::KnownFleet;
pub use why::WhyView;

/// How long a task is taken to build that never was built, in seconds.
const UNKNOWN_SECONDS: u64 = 60;

/// A fleet as it stands.
pub struct Gathered {
    /// The graph with all that is known of it.
    pub fleet: Arc<Fleet>,
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
    /// The fleet as it is known: what runs have taught since is learned, no registry is asked.
    pub async fn known_fleet(&self) -> Result<Gathered, AppError> {
        let mut view = self.fleet.view().await?;
        self.learn_ends(&mut view).await?;
        view.gathered(Vec::new())
    }

    /// The same after a look at what tasks say now and at what each tag holds.
    pub async fn fleet_now(&self, logins: &[RegistryLogin]) -> Result<Gathered, AppError> {
        let mut remarks = self.learn_tasks().await?;
        self.known_fleet().await?;
        let keyring = self.keyring(logins).await?;
        remarks.extend(self.look_at_tags(&keyring, None).await?);
        self.fleet.view().await?.gathered(remarks)
    }
}

impl View {
    fn gathered(&self, remarks: Vec<String>) -> Result<Gathered, AppError> {
        if let Some(problem) = &self.problem {
            return Err(AppError::usage(
                problem.clone(),
                "Change what one of them stands on",
            ));
        }
        Ok(Gathered {
            fleet: self.fleet.clone(),
            seconds: self.seconds.clone(),
            remarks,
        })
    }
}

/// The images that these nodes stand for.
fn images_of(fleet: &Fleet, ids: impl IntoIterator<Item = Id>) -> BTreeSet<String> {
    let ids = ids.into_iter();
    ids.flat_map(|id| fleet.graph().node(id).images.clone())
        .collect()
}

//! The fleet: which images stand on which, what each is wanted to be, and what is to be built next.
//!
//! Wanted is compared with built; nothing is chained. An image's wanted input set follows from what is known now, so a
//! restart recomputes it, a diamond wants it once, and a base that moves back makes an earlier set wanted again.

mod around;
mod content;
mod cycle;
mod estimate;
mod facts;
mod graph;
mod inputs;
mod judge;
mod order;
mod past;
mod reconcile;
mod report;
mod rollout;
mod show;
mod state;
#[cfg(test)]
mod tests;

pub use content::same_content;
pub use estimate::{Estimate, Slot, estimate};
pub use facts::{Build, Fact, Facts, Outcome, Tag, TaskFacts};
pub use graph::{Graph, GraphError, Id, Kind, Made, Maker, Node, fixed_digest, image_name};
pub use inputs::InputSet;
pub use past::Past;
pub use reconcile::Fleet;
pub use report::{Report, ReportRow};
pub use rollout::{Progress, Rollout, RolloutState, admitted};
pub use show::{dot, json, mermaid, text};
pub use state::{Action, Because, Origin, Stale, Standing, State};

//! From a fact to the tasks it concerns: what deliveries of code hosts say, filters, and whether a commit is news.

mod decide;
mod fact;
mod heads;
mod patterns;
mod payload;
mod provider;
mod repository;
mod signature;

pub use decide::{Considered, Start, TaskIndex};
pub use fact::{Author, Happening, PullRequest, Push, Reference, SourceFact};
pub use heads::{Move, Position, Standing, standing};
pub use patterns::Patterns;
pub use payload::{Unreadable, read};
pub use provider::{KEPT_HEADERS, Provider, delivery_id, event_name};
pub use repository::{repository_key, repository_path};
pub use signature::{Unsigned, verify};

//! From a fact to the tasks it concerns: what code hosts and registries tell, filters, whether a commit is news
//! and whether a base image that moved starts a task.

mod bases;
mod decide;
mod fact;
mod heads;
mod patterns;
mod payload;
mod provider;
mod registry_events;
mod repository;
mod signature;
mod status;

pub use bases::{Base, Moved, Verdict, Watched, base_move, watched};
pub use decide::{Considered, Start, TaskIndex};
pub use fact::{Author, Happening, PullRequest, Push, Reference, SourceFact};
pub use heads::{Move, Position, Standing, standing};
pub use patterns::Patterns;
pub use payload::{Unreadable, read};
pub use provider::{KEPT_HEADERS, Provider, delivery_id, event_name};
pub use registry_events::{Pushed, registry_events};
pub use repository::repository_key;
pub use signature::{Unsigned, verify};
pub use status::{CommitState, CommitStatus, StatusLogin, StatusRequest, status_request};

//! Deliveries of code hosts: who may deliver, keeping what came, deciding it, and telling how runs go.

mod decider;
mod gate;
mod git_login;
mod intake;
mod judging;
mod poller;
mod refusals;
mod reporter;
mod sources;

pub use decider::decide_deliveries;
pub use gate::{Admitted, Gate, Refusal};
pub use intake::Intake;
pub use poller::poll_sources;
pub use refusals::Refusals;
pub use reporter::{ReportTerms, report_runs};
pub use sources::{NewSource, SourceView};

//! The pure state machine of a run.

mod status;

pub use status::{RunStatus, StepStatus};

//! Stored tasks: what a task is made of, how a manifest says it, and what tells two versions apart.

mod build;
mod check;
mod command;
mod definition;
mod diff;
mod follow;
mod home;
mod manifest;
pub mod schedule;
mod triggers;

pub use build::{BuildTask, build_task};
pub use check::{Fault, check};
pub use command::command_task;
pub use definition::{Concurrency, Definition, ImageBuild, Policy, Status, Text, WorkerLoss};
pub use diff::{Change, diff};
pub use follow::Follow;
pub use home::{bucket, homes};
pub use manifest::{ManifestError, read, write};
pub use triggers::{
    BaseImageKind, BaseImageTrigger, CatchUp, SourceEvent, SourceTrigger, TimerTrigger, Triggers,
};

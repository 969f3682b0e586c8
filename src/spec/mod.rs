//! Turns the text of a task file into a checked Task.

pub mod alias;
pub mod build_line;
pub mod command_line;

mod command;
mod parse;
mod step;
mod task;

pub use command::{Command, Grant, PortMapping, Protocol, VolumeSource, VolumeUse};
pub use parse::{codes, parse};
pub use step::{Build, Cache, Push, Step, StepKind, VolumeMount, When};
pub use task::{EnvVar, Network, SecretRef, Task, Version, Volume};

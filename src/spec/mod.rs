//! Turns the text of a task file into a checked Task.

pub mod alias;
pub mod build_line;
pub mod command_line;
pub mod context;
pub mod dependencies;
pub mod load;
pub mod reference;
pub mod render;
pub mod values;
pub mod words;

mod command;
mod parse;
mod step;
mod task;

pub use command::{Command, Grant, PortMapping, Protocol, VolumeSource, VolumeUse};
pub use load::{Loaded, alias_sources, load, secrets_needed};
pub use parse::{codes, parse};
pub use render::{Draws, Inputs};
pub use step::{Build, Cache, Push, SecretSource, SecretUse, Step, StepKind, VolumeMount, When};
pub use task::{EnvVar, Network, SecretRef, Task, Version, Volume};
pub use values::RunVars;

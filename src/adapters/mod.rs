//! One module per outside system, each filling a port; none names another.

pub mod clock;
pub mod disk;
pub mod docker;
pub mod docker_config;
pub mod files;
pub mod folder;
pub mod locks;
pub mod memory;
pub mod objects;
pub mod registry;
pub mod sql;
pub mod telemetry;
pub mod vault;
pub mod web;

pub use sql::{postgres, sqlite};

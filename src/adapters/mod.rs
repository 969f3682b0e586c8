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
pub mod postgres;
pub mod registry;
mod sql_errors;
pub mod sqlite;
pub mod vault;
pub mod web;

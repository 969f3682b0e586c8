//! One module per outside system, each filling a port; none names another.

pub mod docker;
pub mod files;
pub mod folder;
pub mod memory;
pub mod sqlite;
pub mod vault;

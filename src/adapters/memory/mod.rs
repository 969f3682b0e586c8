//! Every port in memory, told how to misbehave.

pub mod containers;
pub mod credentials;
pub mod registry;
pub mod store;

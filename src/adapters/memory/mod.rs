//! Every port in memory, told how to misbehave.

pub mod containers;
pub mod store;

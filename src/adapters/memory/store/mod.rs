//! Runs and logs kept in memory, with faults on demand.

mod faults;
mod frames;
mod queue;
mod run;
mod runs;

pub use frames::MemoryFrames;
pub use runs::MemoryStore;

//! Runs and logs kept in memory, with faults on demand.

mod faults;
mod frames;
mod run;
mod runs;
mod tasks;

pub use frames::MemoryFrames;
pub use runs::MemoryStore;
pub use tasks::MemoryTasks;

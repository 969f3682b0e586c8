//! Runs and logs kept in memory, with faults on demand.

mod access;
mod bases;
mod deliveries;
mod duties;
mod faults;
mod fleet;
mod frames;
mod queue;
mod run;
mod runs;
mod tasks;
mod timers;
mod upkeep;
mod workers;

pub use access::MemoryAccess;
pub use frames::MemoryFrames;
pub use runs::MemoryStore;
pub use tasks::MemoryTasks;

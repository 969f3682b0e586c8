//! What rows of either database say, in the types of the ports.

pub(super) mod access;
pub(super) mod bases;
pub(super) mod connections;
pub(super) mod deliveries;
pub(super) mod fleet;
pub(super) mod queue;
pub(super) mod runs;
pub(super) mod secrets;
pub(super) mod tasks;
pub(super) mod timers;
pub(super) mod workers;

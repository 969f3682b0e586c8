//! From a push to a run: a real git server, deliveries as code hosts send them, a server and a worker beside it.

mod bad_input;
mod burst;
mod commands;
mod forks;
pub mod host;
mod polling;
mod reports;
mod stories;

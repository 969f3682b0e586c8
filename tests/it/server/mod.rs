//! What the API promises, asked over the router without a socket.

mod access;
mod again;
pub mod asked;
mod contexts;
mod doors;
mod fleet;
mod generations;
mod notices;
mod pages;
mod queue;
mod runs;
mod scopes;
mod sources;
mod streams;
mod tasks;

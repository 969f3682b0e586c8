//! What the API promises, asked over the router without a socket.

mod access;
mod again;
pub mod asked;
mod contexts;
mod fleet;
mod notices;
mod pages;
mod queue;
mod runs;
mod streams;
mod tasks;

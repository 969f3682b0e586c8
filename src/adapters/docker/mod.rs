//! The Docker Engine, through its API.

mod address;
mod archive;
mod connect;
mod containers;
mod delivered;
mod errors;
mod log_parts;
mod networks;
mod output;
mod port_holder;
mod spec;
mod volumes;
mod waiting;

pub use connect::DockerEngine;

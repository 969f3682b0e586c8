//! The Docker Engine, through its API.

mod address;
mod archive;
mod build;
mod build_errors;
mod build_log;
mod build_options;
mod caches;
mod connect;
mod containers;
mod delivered;
mod dial;
mod errors;
mod excerpt;
mod hidden_args;
mod images;
mod inspecting;
mod instructions;
mod labels;
mod listener;
mod log_parts;
mod logins;
mod networks;
mod output;
mod places;
mod port_holder;
mod pull;
mod push;
mod reference;
mod registry_errors;
mod session;
mod spec;
mod transfer;
mod volumes;
mod waiting;

pub use connect::DockerEngine;

//! careen: a container build-task engine that reads ACR task files and runs them on any Docker engine.
//!
//! The modules, lowest layer first; an arrow may only point downwards (`tests/it/layers.rs` checks it):

pub mod adapters; // docker, sqlite, files, memory
pub mod app; // use cases
pub mod cli;
pub mod client; // the same verbs, done by a server
pub mod dockerfile; // which images a Dockerfile stands on, and where it names them
pub mod dockerignore; // which files of a folder docker would leave out
pub mod engine; // (RunState, Event) -> (RunState, Actions): the pure state machine
pub mod fleet; // which images stand on which, and what is to be built next
pub mod logs; // log lines <-> compressed frames with an index
pub mod plan; // Task -> Plan: the checked graph of steps
pub mod ports; // what the outside must be able to do
pub mod runner; // drives one run to its end
pub mod server; // the API over HTTP
pub mod spec; // task file text -> Task, every error at once
pub mod tasks; // stored tasks: definitions, manifests, diffs
pub mod template; // Go text/template and sprig, bounded
pub mod text; // source positions, diagnostics, shell words
pub mod triggers; // facts -> which tasks they start, and why not the others
pub mod yaml; // YAML 1.1 as yaml.v2 reads it, with spans

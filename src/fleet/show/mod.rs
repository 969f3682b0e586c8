//! Shows a fleet, or what is around one of its nodes.

mod diagram;
mod listing;

pub use diagram::{dot, mermaid};
pub use listing::{json, text};

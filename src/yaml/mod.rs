//! YAML 1.1 as yaml.v2 reads it, kept as a tree with source positions.
//!
//! [`compose`] makes the tree; nothing in it is resolved, because what `yes` or `010` means depends on the type
//! that is wanted: [`Node::as_text`], [`Node::as_integer`] and [`Node::as_bool`] read a value for a field of known
//! type, [`Node::resolve`] one of unknown type.

pub mod codes;

mod anchors;
mod compose;
mod events;
mod merge;
mod node;
mod number;
mod offsets;
mod refusals;
mod scalar;
mod syntax;
mod typed;
mod value;

pub use compose::compose;
pub use node::{Kind, Node, Pair, Style, Tag};
pub use offsets::Offsets;
pub use scalar::{BadTag, Scalar};
pub use typed::{Integer, Mismatch};
pub use value::read_value;

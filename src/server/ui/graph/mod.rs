//! Plans as drawings: levels from left to right, few crossings, states as colour and shape.

mod crossings;
mod draw;
mod layers;
mod places;

pub(super) use draw::{Drawing, EDGES_ID, Node, node_id};
pub(super) use layers::Shape;

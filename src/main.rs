//! Wires the adapters to the surfaces.
fn main() {}

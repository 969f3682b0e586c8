//! One module per outside system, each filling a port.

//! Drives one run to its end.

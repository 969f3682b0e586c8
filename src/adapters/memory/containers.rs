//! An engine in memory that runs nothing.

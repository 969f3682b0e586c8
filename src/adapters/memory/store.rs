//! Runs and log frames in memory.

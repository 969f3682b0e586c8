//! One test binary; a file per promise.

mod command_lines;
mod references;
mod words;

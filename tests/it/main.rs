//! One test binary; a file per promise.

mod aliases;
mod build_lines;
mod command_lines;
mod references;
mod words;

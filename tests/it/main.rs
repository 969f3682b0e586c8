//! One test binary; a file per promise.

mod build_lines;
mod command_lines;
mod references;
mod words;
mod dockerignore;
mod folder;

//! One test binary; a file per promise.

mod aliases;
mod build_lines;
mod command_lines;
mod loading;
mod references;
mod words;
mod dockerignore;
mod folder;
mod yaml;

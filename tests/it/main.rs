//! One test binary; a file per promise.

mod aliases;
mod build_lines;
mod command_lines;
mod dockerignore;
mod folder;
mod loading;
mod references;
mod words;
mod task_files;
mod yaml;

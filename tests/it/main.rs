//! One test binary; a file per promise.

mod aliases;
mod build_lines;
mod command_lines;
mod containers_contract;
mod dockerignore;
mod folder;
mod loading;
mod references;
mod specs;
mod task_files;
mod words;
mod world;
mod yaml;

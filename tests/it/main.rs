//! One test binary; a file per promise.

mod aliases;
mod build_lines;
mod careens;
mod cli;
mod command_lines;
mod containers_contract;
mod crash;
mod dockerignore;
mod engine_properties;
mod engine_stories;
mod folder;
mod frames_contract;
mod layers;
mod loading;
mod logs;
mod migrations;
mod references;
mod specs;
mod store_contract;
mod task_files;
mod vault;
mod words;
mod world;
mod yaml;

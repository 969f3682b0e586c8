//! One test binary; a file per promise.

mod task_files;
mod yaml;

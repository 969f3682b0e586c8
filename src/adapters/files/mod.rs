//! Keeps log frames in files, one for each log, with their index in another store.

mod frames;
mod log_file;

pub use frames::FileFrames;

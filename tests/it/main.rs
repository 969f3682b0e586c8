//! One test binary; a file per promise.

mod references;
mod words;

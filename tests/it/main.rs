//! One test binary; a file per promise.
mod dockerignore;
mod folder;

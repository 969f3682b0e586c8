//! One test binary; a file per promise.

mod frames_contract;
mod logs;
mod migrations;
mod store_contract;
mod vault;

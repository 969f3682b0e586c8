//! One test binary; a file per promise.

mod migrations;
mod store_contract;

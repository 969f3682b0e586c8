//! One test binary; a file per promise.

mod containers_contract;

//! What the pages promise, asked over the router without a browser.

mod fleet;
mod lists;
mod run;
mod sessions;
mod tasks;
pub mod visitor;
mod work;

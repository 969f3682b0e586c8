//! Logs as pages and windows of lines.

mod ansi;
mod find;
mod lines;
mod named;
mod page;
mod raw;

pub(super) use find::find;
pub(super) use lines::lines;
pub(super) use page::show;
pub(super) use raw::download;

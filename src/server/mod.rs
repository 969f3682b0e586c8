//! The API over HTTP: one resource per file, one caller per request, errors that say what to try.

mod access;
mod again;
mod api;
mod audit;
mod docs;
mod error;
mod etag;
mod health;
mod launch;
mod metrics;
mod page;
mod router;
mod run;
mod runs;
mod serve;
mod task;
mod task_versions;
mod tasks;
mod tokens;
mod views;

pub use api::{Api, Terms};
pub use docs::openapi;
pub use launch::{InProcess, Launcher};
pub use router::router;
pub use serve::{Listen, ServeError, serve};

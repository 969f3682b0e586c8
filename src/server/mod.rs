//! The API over HTTP: one resource per file, one caller per request, errors that say what to try.

mod access;
mod again;
mod api;
mod audit;
mod contexts;
mod docs;
mod error;
mod etag;
mod feed;
mod health;
mod launch;
mod logs;
mod metrics;
mod page;
mod position;
mod router;
mod run;
mod runs;
mod serve;
mod stream;
mod task;
mod task_versions;
mod tasks;
mod tokens;
mod views;

pub use api::{Api, Terms};
pub use contexts::ContextView;
pub use docs::openapi;
pub use error::{ErrorBody, ErrorDetail};
pub use launch::{InProcess, Launcher};
pub use logs::{LineView, LogPage};
pub use page::Page;
pub use router::router;
pub use serve::{Listen, ServeError, serve};
pub use task::{PutTask, RunTask};

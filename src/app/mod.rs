//! The use cases: plain verbs on runs.

mod abandon;
mod error;
mod ids;
mod lost;
mod place;
mod prepare;
mod read_logs;
mod request;
mod run_now;
mod saved_files;
mod scan;
mod worker;

use std::{path::PathBuf, sync::Arc};

use crate::{
    ports::{Fetch, Liveness, Queue, Vault},
    runner::Ports,
};

pub use abandon::Swept;
pub use error::AppError;
pub use prepare::{Prepared, check};
pub use read_logs::LogQuery;
pub use request::{Limits, OutputWish, Request, Secrets, draw};
pub use run_now::{Live, Outcome, Queued};
pub use saved_files::SavedFile;
pub use scan::{ScanRequest, Scanned};
pub use worker::{Worker, WorkerTerms};

/// careen, as its surfaces see it.
pub struct App {
    /// The outside of a run.
    pub ports: Ports,
    /// Keeps the queues of runs, over the same store.
    pub queue: Arc<dyn Queue>,
    /// Seals secrets.
    pub vault: Arc<dyn Vault>,
    /// Tells which runs are driven by a living process.
    pub liveness: Arc<dyn Liveness>,
    /// Gets remote alias files.
    pub fetch: Arc<dyn Fetch>,
    /// Where saved files of runs are kept.
    pub files: PathBuf,
}

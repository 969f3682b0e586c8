//! The use cases: plain verbs on runs.

mod abandon;
mod contexts;
mod error;
mod ids;
mod prepare;
mod read_logs;
mod request;
mod run_now;
mod saved_files;

use std::{path::PathBuf, sync::Arc};

use crate::{
    ports::{Fetch, Liveness, Vault},
    runner::Ports,
};

pub use abandon::Swept;
pub use contexts::{access, find_inside};
pub use error::AppError;
pub use prepare::{Prepared, check};
pub use read_logs::LogQuery;
pub use request::{ContextSecrets, Limits, OutputWish, Request, Secrets, draw};
pub use run_now::{Live, Outcome, Queued};
pub use saved_files::SavedFile;

/// careen, as its surfaces see it.
pub struct App {
    /// The outside of a run.
    pub ports: Ports,
    /// Seals secrets.
    pub vault: Arc<dyn Vault>,
    /// Tells which runs are driven by a living process.
    pub liveness: Arc<dyn Liveness>,
    /// Gets remote alias files.
    pub fetch: Arc<dyn Fetch>,
    /// Where saved files of runs are kept.
    pub files: PathBuf,
}

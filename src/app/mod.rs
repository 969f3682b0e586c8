//! The use cases: plain verbs on runs.

mod abandon;
mod connections;
mod contexts;
mod copy_image;
mod credentials;
mod error;
mod ids;
mod prepare;
mod read_logs;
mod request;
mod run_now;
mod saved_files;
mod scan;
mod stored_secrets;
mod test_connection;

use std::{path::PathBuf, sync::Arc};

use crate::{
    ports::{Fetch, Liveness, Vault},
    runner::Ports,
};

pub use abandon::Swept;
pub use connections::{ConnectionChange, NewConnection, NewPassword};
pub use contexts::{access, find_inside};
pub use copy_image::{Copied, CopyRequest, CopyWatcher, Moved};
pub use credentials::Credentials;
pub use error::AppError;
pub use prepare::{Prepared, check};
pub use read_logs::LogQuery;
pub use request::{ContextSecrets, Limits, OutputWish, Request, Secrets, draw};
pub use run_now::{Live, Outcome, Queued};
pub use saved_files::SavedFile;
pub use scan::{ScanRequest, Scanned};

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
    /// Keeps connections and secrets.
    pub credentials: Credentials,
    /// Where saved files of runs are kept.
    pub files: PathBuf,
}

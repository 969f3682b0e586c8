//! The use cases: plain verbs on runs.

mod abandon;
mod apply;
mod autoscale;
mod backup;
mod bases;
mod connections;
mod contexts;
mod copy_image;
mod credentials;
mod duty;
mod error;
mod fleet;
mod hooks;
mod ids;
mod lost;
mod notices;
mod occasion;
mod place;
mod prepare;
mod prune;
mod read_logs;
mod rekey;
mod request;
mod retry;
mod room;
mod run_now;
mod run_task;
mod run_wish;
mod saved_files;
mod scan;
mod secret_text;
mod stored_secrets;
mod task_desk;
mod test_connection;
mod timer_desk;
mod timers;
mod tokens;
mod uploads;
mod worker;
mod worker_desk;
mod workers;

use std::{path::PathBuf, sync::Arc};

use crate::{
    ports::{
        AccessStore, Bases, Courier, Deliveries, Duties, Fetch, Liveness, Objects, Queue,
        TaskStore, Timers, Upkeep, Vault, Workers,
    },
    runner::Ports,
};

pub use abandon::Swept;
pub use apply::{Broken, Manifests, Step, StepKind};
pub use autoscale::{PoolLoad, ScaleTerms, Scaler};
pub use backup::{BackupFolder, BackupHead, BackupParts};
pub use bases::{BaseDesk, LookTerms, Lookout, Notification, NotificationError};
pub use connections::{ConnectionChange, NewConnection, NewPassword};
pub use contexts::{access, find_inside};
pub use copy_image::{Copied, CopyRequest, CopyWatcher, Moved};
pub use credentials::Credentials;
pub use duty::Duty;
pub use error::AppError;
pub use fleet::{
    FleetCounts, FleetDesk, FleetDriver, FleetGraph, FleetNode, FleetPage, Gathered, GraphFormat,
    KnownFleet, LeftTask, LevelCounts, RolloutChange, RolloutView, RolloutWish, Wave, WhyView,
};
pub use hooks::{
    Admitted, Gate, Intake, NewSource, Refusal, Refusals, ReportTerms, SourceView,
    decide_deliveries, poll_sources, report_runs,
};
pub use notices::{Hook, Notices, Wants};
pub use occasion::{Deferred, Occasion};
pub use prepare::{Prepared, check, outline};
pub use prune::{Gone, Keep, Pruned};
pub use read_logs::LogQuery;
pub use rekey::Rekeyed;
pub use request::{ContextSecrets, Limits, OutputWish, Request, Secrets, draw};
pub use room::Room;
pub use run_now::{Live, Outcome, Queued};
pub use run_task::Overrides;
pub use run_wish::{Git, PlaceWish, RunWish};
pub use saved_files::SavedFile;
pub use scan::{ScanRequest, Scanned};
pub use secret_text::SecretText;
pub use task_desk::{TaskDesk, TaskWish};
pub use timer_desk::TimerDesk;
pub use uploads::{ContextDigest, Upload, hash_file};
pub use worker::{Homes, Pace, Worker, WorkerTerms, work_beside};
pub use worker_desk::WorkerDesk;

/// careen, as its surfaces see it.
pub struct App {
    /// The outside of a run.
    pub ports: Ports,
    /// Keeps the queues of runs, over the same store.
    pub queue: Arc<dyn Queue>,
    /// Knows the workers, over the same store.
    pub workers: Arc<dyn Workers>,
    /// Keeps who has which duty, over the same store.
    pub duties: Arc<dyn Duties>,
    /// Keeps deliveries of code hosts and what was decided, over the same store.
    pub deliveries: Arc<dyn Deliveries>,
    /// Keeps timers, over the same store.
    pub timers: Arc<dyn Timers>,
    /// Keeps what is known of base images, over the same store.
    pub bases: Arc<dyn Bases>,
    /// What is known of the fleet, over the same store.
    pub fleet: Arc<KnownFleet>,
    /// Keeps stored tasks.
    pub tasks: Arc<dyn TaskStore>,
    /// Keeps tokens, the audit log and answered requests.
    pub access: Arc<dyn AccessStore>,
    /// Keeps the store in order.
    pub upkeep: Arc<dyn Upkeep>,
    /// Tells whether new runs may begin.
    pub room: Arc<Room>,
    /// Seals secrets.
    pub vault: Arc<dyn Vault>,
    /// Tells which runs are driven by a living process.
    pub liveness: Arc<dyn Liveness>,
    /// Gets remote alias files.
    pub fetch: Arc<dyn Fetch>,
    /// Carries notices.
    pub courier: Arc<dyn Courier>,
    /// Keeps uploaded contexts.
    pub objects: Arc<dyn Objects>,
    /// Where contexts are put together and unpacked.
    pub contexts: PathBuf,
    /// Held by whoever adds to an uploaded context.
    pub uploads: tokio::sync::Mutex<()>,
    /// Keeps connections and secrets.
    pub credentials: Credentials,
    /// Where saved files of runs are kept.
    pub files: PathBuf,
}

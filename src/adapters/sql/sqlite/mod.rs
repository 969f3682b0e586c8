//! Keeps runs in one SQLite file, shared by every careen process of this user.
//!
//! Writers queue for one connection per process, and those who wait share one commit (`line.rs`).

mod access;
mod bases;
mod causes;
mod connections;
mod deliveries;
mod duties;
mod errors;
mod events;
mod fleet;
mod frames;
mod leases;
mod line;
mod line_executor;
mod open;
mod queue;
mod reserve;
mod runs;
mod steps;
mod stored_secrets;
mod tasks;
mod timers;
mod upkeep;
mod workers;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::SqlitePool;
use tokio::sync::watch;

use line::{Line, Write};
pub use open::MIGRATIONS;
use reserve::Reserve;

use super::{read, rows};
use crate::ports::{
    AttemptRow, Batch, Lease, NewRun, RecordedEvent, RunFilter, RunRow, RunStore, Sealed, StepRow,
    StoreError,
};

/// A store in one SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    id: String,
    writer: Line,
    readers: SqlitePool,
    /// Given away when the disk is full.
    reserve: Arc<Reserve>,
    /// Wakes the workers of this process.
    wakes: Arc<watch::Sender<u64>>,
}

impl SqliteStore {
    /// Begins a write of several statements.
    async fn begin(&self) -> Result<Write, StoreError> {
        self.writer.begin().await
    }
}

#[async_trait]
impl RunStore for SqliteStore {
    fn store_id(&self) -> &str {
        &self.id
    }

    async fn create_run(&self, run: &NewRun) -> Result<(), StoreError> {
        runs::create(self, run).await
    }

    async fn lease_run(
        &self,
        run: &str,
        owner: &str,
        time: Duration,
        force: bool,
    ) -> Result<Lease, StoreError> {
        leases::take(self, run, owner, time, force).await
    }

    async fn renew(&self, lease: &Lease, time: Duration) -> Result<(), StoreError> {
        leases::renew(self, lease, time).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        leases::release(self, lease).await
    }

    async fn record(&self, lease: &Lease, batch: &Batch) -> Result<(), StoreError> {
        let recorded = match events::record(self, lease, batch).await {
            Err(StoreError::DiskFull) if self.reserve.give() => {
                events::record(self, lease, batch).await
            }
            other => other,
        };
        // What stands on an image waits for nothing but the end of its build.
        match batch.run.as_ref().is_some_and(|run| run.status.is_ended()) {
            true => self.waking(recorded),
            false => recorded,
        }
    }

    async fn events(&self, run: &str, generation: u32) -> Result<Vec<RecordedEvent>, StoreError> {
        events::of_generation(self, run, generation).await
    }

    async fn secrets(&self, run: &str) -> Result<Vec<(String, Sealed)>, StoreError> {
        runs::secrets(self, run).await
    }

    async fn run(&self, run: &str) -> Result<RunRow, StoreError> {
        runs::one(self, run).await
    }

    async fn find(&self, word: &str) -> Result<String, StoreError> {
        runs::find(self, word).await
    }

    async fn delete_run(&self, run: &str) -> Result<(), StoreError> {
        runs::delete(self, run).await
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError> {
        runs::list(self, filter).await
    }

    async fn steps(&self, run: &str) -> Result<Vec<StepRow>, StoreError> {
        steps::of_run(self, run).await
    }

    async fn attempts(&self, run: &str) -> Result<Vec<AttemptRow>, StoreError> {
        steps::attempts_of_run(self, run).await
    }
}

//! Keeps runs and all that is known besides in a Postgres database, shared by servers and workers of any number of machines.
//!
//! Transactions lock the rows on which they decide, rows of runs before rows of limits; where two still meet, Postgres
//! ends one and it is done again.

mod access;
mod bases;
mod causes;
mod connections;
mod deliveries;
mod dumps;
mod duties;
mod errors;
mod events;
mod firing;
mod fleet;
mod frames;
mod gathering;
mod leases;
mod new_runs;
mod notify;
mod open;
mod queue;
mod records;
mod renewals;
mod runs;
mod steps;
mod stored_secrets;
mod tasks;
mod timers;
mod upkeep;
mod workers;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::PgPool;

use errors::again_on_deadlock;
pub use frames::PostgresFrames;
use gathering::Gathering;
use new_runs::RunRows;
use notify::Bell;
pub use open::MIGRATIONS;
use queue::Wish;
use records::RecordRows;
use renewals::Renewal;

use super::{read, rows};
use crate::ports::{
    AttemptRow, Batch, Lease, NewRun, RecordedEvent, RunFilter, RunRow, RunStore, Sealed, StepRow,
    StoreError,
};

/// A store in a Postgres database.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    id: String,
    pool: PgPool,
    new_runs: Arc<Gathering<RunRows>>,
    records: Arc<Gathering<RecordRows>>,
    wishes: Arc<Gathering<Wish>>,
    renewals: Arc<Gathering<Renewal>>,
    /// Wakes workers and log readers everywhere.
    bell: Arc<Bell>,
}

#[async_trait]
impl RunStore for PostgresStore {
    fn store_id(&self) -> &str {
        &self.id
    }

    fn is_shared(&self) -> bool {
        true
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
        again_on_deadlock(|| events::record(self, lease, batch)).await
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

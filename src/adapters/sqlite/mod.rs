//! Runs in a SQLite file: one writer, any number of readers, one file per entity.

mod events;
mod frames;
mod leases;
mod open;
mod runs;
mod steps;
mod values;

use async_trait::async_trait;
use sqlx::{Sqlite, SqlitePool, Transaction};
use std::time::Duration;

use crate::ports::{
    AttemptRow, Batch, Lease, NewRun, RecordedEvent, RunFilter, RunRow, RunStore, Sealed, StepRow,
    StoreError,
};

/// A SQLite database of runs.
pub struct SqliteStore {
    store_id: String,
    writer: SqlitePool,
    reader: SqlitePool,
}

impl SqliteStore {
    /// Begins to write. Immediate, because a transaction that reads first and writes later fails under contention
    /// whatever the busy timeout.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(values::failed)
    }
}

#[async_trait]
impl RunStore for SqliteStore {
    fn store_id(&self) -> &str {
        &self.store_id
    }

    async fn create_run(&self, run: &NewRun) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        runs::insert(&mut tx, run).await?;
        runs::insert_secrets(&mut tx, &run.id, &run.secrets).await?;
        tx.commit().await.map_err(values::failed)
    }

    async fn lease_run(
        &self,
        run: &str,
        owner: &str,
        time: Duration,
        force: bool,
    ) -> Result<Lease, StoreError> {
        leases::take(&self.writer, run, owner, time, force).await
    }

    async fn renew(&self, lease: &Lease, time: Duration) -> Result<(), StoreError> {
        leases::renew(&self.writer, lease, time).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        leases::release(&self.writer, lease).await
    }

    async fn record(&self, lease: &Lease, batch: &Batch) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        match &batch.run {
            Some(run) => runs::update(&mut tx, lease, run).await?,
            None => leases::check(&mut tx, lease).await?,
        }
        events::append(&mut tx, lease, &batch.events).await?;
        steps::upsert(&mut tx, lease, &batch.steps).await?;
        steps::upsert_attempts(&mut tx, lease, &batch.attempts).await?;
        tx.commit().await.map_err(values::failed)
    }

    async fn events(&self, run: &str, generation: u32) -> Result<Vec<RecordedEvent>, StoreError> {
        events::read(&self.reader, run, generation).await
    }

    async fn secrets(&self, run: &str) -> Result<Vec<(String, Sealed)>, StoreError> {
        runs::secrets(&self.reader, run).await
    }

    async fn run(&self, run: &str) -> Result<RunRow, StoreError> {
        runs::read(&self.reader, run).await
    }

    async fn find(&self, word: &str) -> Result<String, StoreError> {
        runs::find(&self.reader, word).await
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError> {
        runs::list(&self.reader, filter).await
    }

    async fn steps(&self, run: &str) -> Result<Vec<StepRow>, StoreError> {
        steps::read(&self.reader, run).await
    }

    async fn attempts(&self, run: &str) -> Result<Vec<AttemptRow>, StoreError> {
        steps::read_attempts(&self.reader, run).await
    }
}

//! The events of runs, written together with the summaries that follow from them.

use sqlx::Row;

use super::{
    PostgresStore, queue,
    records::{RecordRows, write_freeing},
    rows::Columns,
};
use crate::ports::{Batch, Lease, RecordedEvent, StoreError};

/// Writes a batch, if the lease still holds: one statement, which commits by itself.
pub(super) async fn record(
    store: &PostgresStore,
    lease: &Lease,
    batch: &Batch,
) -> Result<(), StoreError> {
    if let Some(first) = batch.events.first() {
        batch.check_order(&lease.run, first.seq)?;
    }
    match store.records.write(RecordRows::new(lease, batch)?).await? {
        true => Ok(()),
        false => record_and_free(store, lease, batch).await,
    }
}

/// Says why a batch was not written, or writes it together with the end of a run that limits count.
async fn record_and_free(
    store: &PostgresStore,
    lease: &Lease,
    batch: &Batch,
) -> Result<(), StoreError> {
    let mut transaction = store.pool.begin().await?;
    let row = sqlx::query(
        "SELECT last_event FROM runs WHERE id = $1 AND generation = $2 AND lease_token = $3 FOR UPDATE",
    )
    .bind(&lease.run)
    .bind(i64::from(lease.generation))
    .bind(lease.token.cast_signed())
    .fetch_optional(&mut *transaction)
    .await?;
    let lost = || StoreError::LeaseLost(lease.run.clone());
    let last: u64 = row.ok_or_else(lost)?.count("last_event")?;
    batch.check_order(&lease.run, last + 1)?;
    write_freeing(&mut transaction, &RecordRows::new(lease, batch)?).await?;
    queue::free(&mut transaction, &lease.run).await?;
    transaction.commit().await?;
    store.bell.queue_changed();
    Ok(())
}

/// Reads the events of a generation, in order.
pub(super) async fn of_generation(
    store: &PostgresStore,
    run: &str,
    generation: u32,
) -> Result<Vec<RecordedEvent>, StoreError> {
    sqlx::query(
        "SELECT seq, at, kind, body FROM events WHERE run = $1 AND generation = $2 ORDER BY seq",
    )
    .bind(run)
    .bind(i64::from(generation))
    .fetch_all(&store.pool)
    .await?
    .iter()
    .map(|row| {
        Ok(RecordedEvent {
            seq: row.count("seq")?,
            at: row.parsed("at")?,
            kind: row.try_get("kind")?,
            body: row.json("body")?,
        })
    })
    .collect()
}

//! The events of runs, written together with the summaries that follow from them.

use sqlx::{Row, SqliteConnection};

use super::{
    SqliteStore, queue,
    rows::{Columns, time_text},
    steps,
};
use crate::ports::{Batch, Lease, RecordedEvent, RunRow, StoreError};

/// Writes a batch in one transaction, if the lease still holds.
///
/// Rows travel as one JSON array per table: one constant statement each, however many rows there are.
pub(super) async fn record(
    store: &SqliteStore,
    lease: &Lease,
    batch: &Batch,
) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    let (last, has_slots) = match &batch.run {
        Some(run) => fence_and_summarize(&mut transaction, lease, batch, run).await?,
        None => (fence(&mut transaction, lease, batch).await?, false),
    };
    let expected = last + 1 - batch.events.len() as u64;
    batch.check_order(&lease.run, expected)?;
    if !batch.events.is_empty() {
        append(&mut transaction, lease, &batch.events).await?;
    }
    if let Some(prepared) = &batch.prepared {
        store_prepared(&mut transaction, lease, prepared).await?;
    }
    if !batch.steps.is_empty() {
        steps::upsert(&mut transaction, lease, &batch.steps).await?;
    }
    if !batch.attempts.is_empty() {
        steps::upsert_attempts(&mut transaction, lease, &batch.attempts).await?;
    }
    if has_slots {
        queue::free(&mut transaction, &lease.run).await?;
    }
    transaction.commit().await?;
    if has_slots {
        store.wake();
    }
    Ok(())
}

/// Reads the events of a generation, in order.
pub(super) async fn of_generation(
    store: &SqliteStore,
    run: &str,
    generation: u32,
) -> Result<Vec<RecordedEvent>, StoreError> {
    sqlx::query(
        "SELECT seq, at, kind, body FROM events WHERE run = ?1 AND generation = ?2 ORDER BY seq",
    )
    .bind(run)
    .bind(generation)
    .fetch_all(&store.readers)
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

/// Counts the batch's events on the run's row, if the lease still holds, and returns the number of the last.
async fn fence(
    connection: &mut SqliteConnection,
    lease: &Lease,
    batch: &Batch,
) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "UPDATE runs SET last_event = last_event + ?4
         WHERE id = ?1 AND generation = ?2 AND lease_token = ?3 RETURNING last_event",
    )
    .bind(&lease.run)
    .bind(lease.generation)
    .bind(lease.token.cast_signed())
    .bind(batch.events.len() as i64)
    .fetch_optional(connection)
    .await?;
    row.ok_or_else(|| StoreError::LeaseLost(lease.run.clone()))?
        .count("last_event")
}

/// Does the same, writes the run's new summary, and says whether its end frees anything that limits count.
async fn fence_and_summarize(
    connection: &mut SqliteConnection,
    lease: &Lease,
    batch: &Batch,
    run: &RunRow,
) -> Result<(u64, bool), StoreError> {
    let row = sqlx::query(
        "UPDATE runs SET last_event = last_event + ?4, status = ?5, reason = ?6, started_at = ?7,
                ended_at = ?8, steps = ?9, steps_ended = ?10, lease_until = iif(?11, 0, lease_until)
         WHERE id = ?1 AND generation = ?2 AND lease_token = ?3 RETURNING last_event, slots",
    )
    .bind(&lease.run)
    .bind(lease.generation)
    .bind(lease.token.cast_signed())
    .bind(batch.events.len() as i64)
    .bind(run.status.as_str())
    .bind(&run.reason)
    .bind(run.started_at.map(time_text))
    .bind(run.ended_at.map(time_text))
    .bind(run.steps)
    .bind(run.steps_ended)
    .bind(run.status.is_ended())
    .fetch_optional(connection)
    .await?
    .ok_or_else(|| StoreError::LeaseLost(lease.run.clone()))?;
    let slots: u32 = row.count("slots")?;
    Ok((row.count("last_event")?, run.status.is_ended() && slots > 0))
}

async fn append(
    connection: &mut SqliteConnection,
    lease: &Lease,
    events: &[RecordedEvent],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO events (run, generation, seq, at, kind, body)
         SELECT ?1, ?2, value ->> 'seq', value ->> 'at', value ->> 'kind', value -> 'body'
         FROM json_each(?3)",
    )
    .bind(&lease.run)
    .bind(lease.generation)
    .bind(steps::json_rows(events)?)
    .execute(connection)
    .await?;
    Ok(())
}

async fn store_prepared(
    connection: &mut SqliteConnection,
    lease: &Lease,
    prepared: &serde_json::Value,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE documents SET prepared = ?2 WHERE run = ?1")
        .bind(&lease.run)
        .bind(prepared.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

//! The events of runs, written together with the summaries that follow from them.

use sqlx::{PgExecutor, Row};

use super::{
    PostgresStore, queue,
    rows::{Columns, time_text},
    steps,
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
    let written = write(&store.pool, (lease, batch), Slots::Leave).await?;
    match written {
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
    write(&mut *transaction, (lease, batch), Slots::Free).await?;
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

/// What becomes of a run that ends while limits count it.
#[derive(Clone, Copy, PartialEq)]
enum Slots {
    /// It is left to a transaction that frees its slots.
    Leave,
    /// They are freed in this one.
    Free,
}

/// Rows travel as one JSON array per table. What no longer may be written comes to nothing, for all hangs on the first.
const WRITE: &str = "
    WITH fenced AS (
        UPDATE runs SET last_event = last_event + $4, status = coalesce($5, status),
            reason = CASE WHEN $5::text IS NULL THEN reason ELSE $6 END,
            started_at = CASE WHEN $5::text IS NULL THEN started_at ELSE $7 END,
            ended_at = CASE WHEN $5::text IS NULL THEN ended_at ELSE $8 END,
            steps = coalesce($9, steps), steps_ended = coalesce($10, steps_ended),
            lease_until = CASE WHEN $11 THEN 0 ELSE lease_until END
        WHERE id = $1 AND generation = $2 AND lease_token = $3 AND ($4 = 0 OR last_event = $12 - 1)
            AND ($13 OR NOT $11 OR slots = 0)
        RETURNING id),
    appended AS (
        INSERT INTO events (run, generation, seq, at, kind, body)
        SELECT id, $2, (value ->> 'seq')::bigint, value ->> 'at', value ->> 'kind', (value -> 'body')::text
        FROM fenced, json_array_elements($14::json)),
    documented AS (
        UPDATE documents SET prepared = $15 FROM fenced WHERE run = id AND $15::text IS NOT NULL),
    stepped AS (
        INSERT INTO steps (run, generation, step, id, kind, status, ignored, attempts, exit_code, reason,
            started_at, ended_at, images)
        SELECT fenced.id, $2, (value ->> 'step')::bigint, value ->> 'id', value ->> 'kind', value ->> 'status',
            (value ->> 'ignored')::boolean, (value ->> 'attempts')::bigint, (value ->> 'exit_code')::bigint,
            value ->> 'reason', value ->> 'started_at', value ->> 'ended_at', (value -> 'images')::text
        FROM fenced, json_array_elements($16::json)
        ON CONFLICT (run, generation, step) DO UPDATE SET status = excluded.status, ignored = excluded.ignored,
            attempts = excluded.attempts, exit_code = excluded.exit_code, reason = excluded.reason,
            started_at = excluded.started_at, ended_at = excluded.ended_at, images = excluded.images),
    attempted AS (
        INSERT INTO attempts (run, generation, step, attempt, container, outcome, exit_code, started_at, ended_at)
        SELECT id, $2, (value ->> 'step')::bigint, (value ->> 'attempt')::bigint, value ->> 'container',
            value ->> 'outcome', (value ->> 'exit_code')::bigint, value ->> 'started_at', value ->> 'ended_at'
        FROM fenced, json_array_elements($17::json)
        ON CONFLICT (run, generation, step, attempt) DO UPDATE SET container = excluded.container,
            outcome = excluded.outcome, exit_code = excluded.exit_code, started_at = excluded.started_at,
            ended_at = excluded.ended_at)
    SELECT id FROM fenced";

/// Writes a batch; says whether it did.
async fn write<'c>(
    to: impl PgExecutor<'c>,
    (lease, batch): (&Lease, &Batch),
    slots: Slots,
) -> Result<bool, StoreError> {
    let run = batch.run.as_ref();
    let row = sqlx::query(WRITE)
        .bind(&lease.run)
        .bind(i64::from(lease.generation))
        .bind(lease.token.cast_signed())
        .bind(batch.events.len() as i64)
        .bind(run.map(|run| run.status.as_str()))
        .bind(run.map(|run| &run.reason))
        .bind(run.map(|run| run.started_at.map(time_text)))
        .bind(run.map(|run| run.ended_at.map(time_text)))
        .bind(run.map(|run| i64::from(run.steps)))
        .bind(run.map(|run| i64::from(run.steps_ended)))
        .bind(run.is_some_and(|run| run.status.is_ended()))
        .bind(batch.events.first().map(|event| event.seq.cast_signed()))
        .bind(slots == Slots::Free)
        .bind(steps::json_rows(&batch.events)?)
        .bind(batch.prepared.as_ref().map(ToString::to_string))
        .bind(steps::json_rows(&batch.steps)?)
        .bind(steps::json_rows(&batch.attempts)?)
        .fetch_optional(to)
        .await?;
    Ok(row.is_some())
}

//! What is recorded of runs: events and the summaries that follow from them, of many runs in one statement.

use async_trait::async_trait;
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor, PgPool, Row};

use super::{gathering::Write, rows::time_text};
use crate::ports::{Batch, Lease, RunRow, StoreError};

/// A batch as its rows hold it, with the lease that it is written under.
#[derive(Debug)]
pub(super) struct RecordRows {
    lease: Lease,
    /// The number of its first event, and how many there are.
    first: Option<i64>,
    count: i64,
    summary: Option<Summary>,
    prepared: Option<String>,
    /// One JSON array for each table; none where there is nothing to write.
    events: Option<String>,
    steps: Option<String>,
    attempts: Option<String>,
}

/// What becomes of the row of the run itself.
#[derive(Debug)]
struct Summary {
    status: &'static str,
    reason: Option<String>,
    started_at: Option<String>,
    ended_at: Option<String>,
    steps: i64,
    steps_ended: i64,
    is_end: bool,
}

impl RecordRows {
    /// Makes the rows of a batch.
    pub fn new(lease: &Lease, batch: &Batch) -> Result<RecordRows, StoreError> {
        Ok(RecordRows {
            lease: lease.clone(),
            first: batch.events.first().map(|event| event.seq.cast_signed()),
            count: batch.events.len() as i64,
            summary: batch.run.as_ref().map(Summary::new),
            prepared: batch.prepared.as_ref().map(ToString::to_string),
            events: json_rows(&batch.events)?,
            steps: json_rows(&batch.steps)?,
            attempts: json_rows(&batch.attempts)?,
        })
    }

    fn of_summary<'a, T>(&'a self, part: impl Fn(&'a Summary) -> T) -> Option<T> {
        self.summary.as_ref().map(part)
    }
}

impl Summary {
    fn new(run: &RunRow) -> Summary {
        Summary {
            status: run.status.as_str(),
            reason: run.reason.clone(),
            started_at: run.started_at.map(time_text),
            ended_at: run.ended_at.map(time_text),
            steps: i64::from(run.steps),
            steps_ended: i64::from(run.steps_ended),
            is_end: run.status.is_ended(),
        }
    }
}

fn json_rows<T: Serialize>(rows: &[T]) -> Result<Option<String>, StoreError> {
    if rows.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_string(rows);
    let text = text.map_err(|error| StoreError::Database(error.to_string()))?;
    Ok(Some(text))
}

#[async_trait]
impl Write for RecordRows {
    /// Whether it was written: not when the lease is lost, events are missing, or the end of the run frees slots.
    type Answer = bool;

    async fn write_all(pool: &PgPool, all: &[RecordRows]) -> sqlx::Result<Vec<bool>> {
        write(pool, all, false).await
    }
}

/// Writes a batch within the transaction that frees the run's slots.
pub(super) async fn write_freeing(
    connection: &mut PgConnection,
    rows: &RecordRows,
) -> Result<(), StoreError> {
    write(connection, std::slice::from_ref(rows), true).await?;
    Ok(())
}

/// What no longer may be written comes to nothing, for all hangs on the rows of the first part. Of two batches of one
/// run it takes one; the other is as if it had come too early.
const WRITE: &str = "
    WITH fenced AS (
        UPDATE runs SET last_event = runs.last_event + batch.events, status = coalesce(batch.status, runs.status),
            reason = CASE WHEN batch.status IS NULL THEN runs.reason ELSE batch.reason END,
            started_at = CASE WHEN batch.status IS NULL THEN runs.started_at ELSE batch.started_at END,
            ended_at = CASE WHEN batch.status IS NULL THEN runs.ended_at ELSE batch.ended_at END,
            steps = coalesce(batch.steps, runs.steps), steps_ended = coalesce(batch.steps_ended, runs.steps_ended),
            lease_until = CASE WHEN batch.is_end THEN 0 ELSE runs.lease_until END
        FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::boolean[], $13::text[], $14::json[],
            $15::json[], $16::json[]) WITH ORDINALITY
        AS batch (run, generation, token, events, first, status, reason, started_at, ended_at, steps, steps_ended,
            is_end, prepared, event_rows, step_rows, attempt_rows, nth)
        WHERE runs.id = batch.run AND runs.generation = batch.generation AND runs.lease_token = batch.token
            AND (batch.events = 0 OR runs.last_event = batch.first - 1)
            AND ($17 OR NOT batch.is_end OR runs.slots = 0)
        RETURNING nth, runs.id, runs.generation, prepared, event_rows, step_rows, attempt_rows),
    appended AS (
        INSERT INTO events (run, generation, seq, at, kind, body)
        SELECT id, generation, (value ->> 'seq')::bigint, value ->> 'at', value ->> 'kind', (value -> 'body')::text
        FROM fenced, json_array_elements(event_rows)),
    documented AS (
        UPDATE documents SET prepared = fenced.prepared FROM fenced
        WHERE documents.run = id AND fenced.prepared IS NOT NULL),
    stepped AS (
        INSERT INTO steps (run, generation, step, id, kind, status, ignored, attempts, exit_code, reason,
            started_at, ended_at, images)
        SELECT fenced.id, generation, (value ->> 'step')::bigint, value ->> 'id', value ->> 'kind',
            value ->> 'status', (value ->> 'ignored')::boolean, (value ->> 'attempts')::bigint,
            (value ->> 'exit_code')::bigint, value ->> 'reason', value ->> 'started_at', value ->> 'ended_at',
            (value -> 'images')::text
        FROM fenced, json_array_elements(step_rows)
        ON CONFLICT (run, generation, step) DO UPDATE SET status = excluded.status, ignored = excluded.ignored,
            attempts = excluded.attempts, exit_code = excluded.exit_code, reason = excluded.reason,
            started_at = excluded.started_at, ended_at = excluded.ended_at, images = excluded.images),
    attempted AS (
        INSERT INTO attempts (run, generation, step, attempt, container, outcome, exit_code, started_at, ended_at)
        SELECT id, generation, (value ->> 'step')::bigint, (value ->> 'attempt')::bigint, value ->> 'container',
            value ->> 'outcome', (value ->> 'exit_code')::bigint, value ->> 'started_at', value ->> 'ended_at'
        FROM fenced, json_array_elements(attempt_rows)
        ON CONFLICT (run, generation, step, attempt) DO UPDATE SET container = excluded.container,
            outcome = excluded.outcome, exit_code = excluded.exit_code, started_at = excluded.started_at,
            ended_at = excluded.ended_at)
    SELECT nth FROM fenced";

/// Writes batches; says of each whether it did.
async fn write<'c>(
    to: impl PgExecutor<'c>,
    all: &[RecordRows],
    frees_slots: bool,
) -> sqlx::Result<Vec<bool>> {
    let texts = |part: fn(&RecordRows) -> Option<&str>| all.iter().map(part).collect::<Vec<_>>();
    let numbers = |part: fn(&RecordRows) -> Option<i64>| all.iter().map(part).collect::<Vec<_>>();
    let is_end = |rows: &RecordRows| rows.summary.as_ref().is_some_and(|it| it.is_end);
    let rows = sqlx::query(WRITE)
        .bind(texts(|rows| Some(&rows.lease.run)))
        .bind(numbers(|rows| Some(rows.lease.generation.into())))
        .bind(numbers(|rows| Some(rows.lease.token.cast_signed())))
        .bind(numbers(|rows| Some(rows.count)))
        .bind(numbers(|rows| rows.first))
        .bind(texts(|rows| rows.of_summary(|it| it.status)))
        .bind(texts(|rows| rows.of_summary(|it| it.reason.as_deref())?))
        .bind(texts(|rows| {
            rows.of_summary(|it| it.started_at.as_deref())?
        }))
        .bind(texts(|rows| {
            rows.of_summary(|it| it.ended_at.as_deref())?
        }))
        .bind(numbers(|rows| rows.of_summary(|it| it.steps)))
        .bind(numbers(|rows| rows.of_summary(|it| it.steps_ended)))
        .bind(all.iter().map(is_end).collect::<Vec<_>>())
        .bind(texts(|rows| rows.prepared.as_deref()))
        .bind(texts(|rows| rows.events.as_deref()))
        .bind(texts(|rows| rows.steps.as_deref()))
        .bind(texts(|rows| rows.attempts.as_deref()))
        .bind(frees_slots)
        .fetch_all(to)
        .await?;
    let mut written = vec![false; all.len()];
    for row in &rows {
        let nth: i64 = row.try_get("nth")?;
        written[nth as usize - 1] = true;
    }
    Ok(written)
}

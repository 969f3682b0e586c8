//! The summaries of steps and of their attempts.

use serde::Serialize;
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::read::runs::{attempt, step};
use crate::ports::{AttemptRow, Lease, StepRow, StoreError};

/// Writes rows as one JSON array, for `json_each`.
pub(super) fn json_rows<T: Serialize>(rows: &[T]) -> Result<String, StoreError> {
    serde_json::to_string(rows).map_err(|error| StoreError::Database(error.to_string()))
}

/// Writes the steps that changed.
pub(super) async fn upsert(
    connection: &mut SqliteConnection,
    lease: &Lease,
    steps: &[StepRow],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO steps (run, generation, step, id, kind, status, ignored, attempts, exit_code,
                reason, started_at, ended_at, images)
         SELECT ?1, ?2, value ->> 'step', value ->> 'id', value ->> 'kind', value ->> 'status',
                value ->> 'ignored', value ->> 'attempts', value ->> 'exit_code', value ->> 'reason',
                value ->> 'started_at', value ->> 'ended_at', value -> 'images'
         FROM json_each(?3) WHERE true
         ON CONFLICT DO UPDATE SET status = excluded.status, ignored = excluded.ignored,
                attempts = excluded.attempts, exit_code = excluded.exit_code,
                reason = excluded.reason, started_at = excluded.started_at,
                ended_at = excluded.ended_at, images = excluded.images",
    )
    .bind(&lease.run)
    .bind(lease.generation)
    .bind(json_rows(steps)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes the attempts that changed.
pub(super) async fn upsert_attempts(
    connection: &mut SqliteConnection,
    lease: &Lease,
    attempts: &[AttemptRow],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO attempts (run, generation, step, attempt, container, outcome, exit_code,
                started_at, ended_at)
         SELECT ?1, ?2, value ->> 'step', value ->> 'attempt', value ->> 'container',
                value ->> 'outcome', value ->> 'exit_code', value ->> 'started_at',
                value ->> 'ended_at'
         FROM json_each(?3) WHERE true
         ON CONFLICT DO UPDATE SET container = excluded.container, outcome = excluded.outcome,
                exit_code = excluded.exit_code, started_at = excluded.started_at,
                ended_at = excluded.ended_at",
    )
    .bind(&lease.run)
    .bind(lease.generation)
    .bind(json_rows(attempts)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Reads the steps of a run's present generation, in file order.
pub(super) async fn of_run(store: &SqliteStore, run: &str) -> Result<Vec<StepRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM steps
         WHERE run = ?1 AND generation = (SELECT generation FROM runs WHERE id = ?1)
         ORDER BY step",
    )
    .bind(run)
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(step).collect()
}

/// Reads the attempts of a run's present generation, by step and number.
pub(super) async fn attempts_of_run(
    store: &SqliteStore,
    run: &str,
) -> Result<Vec<AttemptRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM attempts
         WHERE run = ?1 AND generation = (SELECT generation FROM runs WHERE id = ?1)
         ORDER BY step, attempt",
    )
    .bind(run)
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(attempt).collect()
}

//! The summaries of steps and of their attempts.

use serde::Serialize;
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{PostgresStore, rows::Columns};
use crate::ports::{AttemptRow, Lease, StepRow, StoreError};

/// Writes rows as one JSON array, for `json_array_elements`.
pub(super) fn json_rows<T: Serialize>(rows: &[T]) -> Result<String, StoreError> {
    serde_json::to_string(rows).map_err(|error| StoreError::Database(error.to_string()))
}

/// Writes the steps that changed.
pub(super) async fn upsert(
    connection: &mut PgConnection,
    lease: &Lease,
    steps: &[StepRow],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO steps (run, generation, step, id, kind, status, ignored, attempts, exit_code,
                reason, started_at, ended_at, images)
         SELECT $1, $2, (value ->> 'step')::bigint, value ->> 'id', value ->> 'kind', value ->> 'status',
                (value ->> 'ignored')::boolean, (value ->> 'attempts')::bigint, (value ->> 'exit_code')::bigint, value ->> 'reason',
                value ->> 'started_at', value ->> 'ended_at', (value -> 'images')::text
         FROM json_array_elements($3::json)
         ON CONFLICT (run, generation, step) DO UPDATE SET status = excluded.status, ignored = excluded.ignored,
                attempts = excluded.attempts, exit_code = excluded.exit_code,
                reason = excluded.reason, started_at = excluded.started_at,
                ended_at = excluded.ended_at, images = excluded.images",
    )
    .bind(&lease.run)
    .bind(i64::from(lease.generation))
    .bind(json_rows(steps)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes the attempts that changed.
pub(super) async fn upsert_attempts(
    connection: &mut PgConnection,
    lease: &Lease,
    attempts: &[AttemptRow],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO attempts (run, generation, step, attempt, container, outcome, exit_code,
                started_at, ended_at)
         SELECT $1, $2, (value ->> 'step')::bigint, (value ->> 'attempt')::bigint, value ->> 'container',
                value ->> 'outcome', (value ->> 'exit_code')::bigint, value ->> 'started_at',
                value ->> 'ended_at'
         FROM json_array_elements($3::json)
         ON CONFLICT (run, generation, step, attempt) DO UPDATE SET container = excluded.container, outcome = excluded.outcome,
                exit_code = excluded.exit_code, started_at = excluded.started_at,
                ended_at = excluded.ended_at",
    )
    .bind(&lease.run)
    .bind(i64::from(lease.generation))
    .bind(json_rows(attempts)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Reads the steps of a run's present generation, in file order.
pub(super) async fn of_run(store: &PostgresStore, run: &str) -> Result<Vec<StepRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM steps
         WHERE run = $1 AND generation = (SELECT generation FROM runs WHERE id = $1)
         ORDER BY step",
    )
    .bind(run)
    .fetch_all(&store.pool)
    .await?;
    rows.iter().map(step).collect()
}

/// Reads the attempts of a run's present generation, by step and number.
pub(super) async fn attempts_of_run(
    store: &PostgresStore,
    run: &str,
) -> Result<Vec<AttemptRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM attempts
         WHERE run = $1 AND generation = (SELECT generation FROM runs WHERE id = $1)
         ORDER BY step, attempt",
    )
    .bind(run)
    .fetch_all(&store.pool)
    .await?;
    rows.iter().map(attempt).collect()
}

fn step(row: &PgRow) -> Result<StepRow, StoreError> {
    Ok(StepRow {
        step: row.count("step")?,
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        status: row.parsed("status")?,
        ignored: row.try_get("ignored")?,
        attempts: row.count("attempts")?,
        exit_code: row.try_get("exit_code")?,
        reason: row.try_get("reason")?,
        started_at: row.time("started_at")?,
        ended_at: row.time("ended_at")?,
        images: row.json("images")?,
    })
}

fn attempt(row: &PgRow) -> Result<AttemptRow, StoreError> {
    Ok(AttemptRow {
        step: row.count("step")?,
        attempt: row.count("attempt")?,
        container: row.try_get("container")?,
        outcome: row.try_get("outcome")?,
        exit_code: row.try_get("exit_code")?,
        started_at: row.parsed("started_at")?,
        ended_at: row.time("ended_at")?,
    })
}

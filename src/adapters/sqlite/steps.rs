//! The `steps` and `attempts` tables: summaries for lists.

use sqlx::{FromRow, QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use super::values::{count, failed, json, maybe_time, micros, odd, time};
use crate::ports::{AttemptRow, Lease, StepRow, StoreError};

/// Rows of one statement: SQLite takes 32,766 variables, and a step has thirteen.
const ROWS: usize = 2000;

/// Writes steps that changed.
pub(super) async fn upsert(
    tx: &mut SqliteConnection,
    lease: &Lease,
    steps: &[StepRow],
) -> Result<(), StoreError> {
    for chunk in steps.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "insert into steps (run, generation, step, id, kind, status, ignored, attempts, exit_code, reason, \
             started_at, ended_at, images) ",
        );
        query.push_values(chunk, |mut row, step| {
            row.push_bind(&lease.run)
                .push_bind(lease.generation)
                .push_bind(step.step)
                .push_bind(&step.id)
                .push_bind(&step.kind)
                .push_bind(step.status.as_str())
                .push_bind(step.ignored)
                .push_bind(step.attempts)
                .push_bind(step.exit_code)
                .push_bind(&step.reason)
                .push_bind(step.started_at.map(micros))
                .push_bind(step.ended_at.map(micros))
                .push_bind(step.images.to_string());
        });
        query.push(
            " on conflict (run, generation, step) do update set status = excluded.status, ignored = excluded.ignored, \
             attempts = excluded.attempts, exit_code = excluded.exit_code, reason = excluded.reason, \
             started_at = excluded.started_at, ended_at = excluded.ended_at, images = excluded.images",
        );
        let query = query.build().persistent(chunk.len() == 1);
        query.execute(&mut *tx).await.map_err(failed)?;
    }
    Ok(())
}

/// Writes attempts that changed.
pub(super) async fn upsert_attempts(
    tx: &mut SqliteConnection,
    lease: &Lease,
    attempts: &[AttemptRow],
) -> Result<(), StoreError> {
    for chunk in attempts.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "insert into attempts (run, generation, step, attempt, container, outcome, exit_code, started_at, \
             ended_at) ",
        );
        query.push_values(chunk, |mut row, attempt| {
            row.push_bind(&lease.run)
                .push_bind(lease.generation)
                .push_bind(attempt.step)
                .push_bind(attempt.attempt)
                .push_bind(&attempt.container)
                .push_bind(&attempt.outcome)
                .push_bind(attempt.exit_code)
                .push_bind(micros(attempt.started_at))
                .push_bind(attempt.ended_at.map(micros));
        });
        query.push(
            " on conflict (run, generation, step, attempt) do update set container = excluded.container, \
             outcome = excluded.outcome, exit_code = excluded.exit_code, ended_at = excluded.ended_at",
        );
        let query = query.build().persistent(chunk.len() == 1);
        query.execute(&mut *tx).await.map_err(failed)?;
    }
    Ok(())
}

#[derive(FromRow)]
struct Row {
    step: i64,
    id: String,
    kind: String,
    status: String,
    ignored: bool,
    attempts: i64,
    exit_code: Option<i64>,
    reason: Option<String>,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    images: String,
}

/// Reads the steps of a run's present generation, in file order.
pub(super) async fn read(pool: &SqlitePool, run: &str) -> Result<Vec<StepRow>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "select step, steps.id, kind, steps.status, ignored, attempts, exit_code, steps.reason, steps.started_at, \
         steps.ended_at, images from steps join runs on runs.id = steps.run and runs.generation = steps.generation \
         where run = ? order by step",
    )
    .bind(run)
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(StepRow {
                step: count(row.step)?,
                id: row.id,
                kind: row.kind,
                status: row.status.parse().map_err(odd)?,
                ignored: row.ignored,
                attempts: count(row.attempts)?,
                exit_code: row.exit_code,
                reason: row.reason,
                started_at: maybe_time(row.started_at)?,
                ended_at: maybe_time(row.ended_at)?,
                images: json(&row.images)?,
            })
        })
        .collect()
}

#[derive(FromRow)]
struct AttemptColumns {
    step: i64,
    attempt: i64,
    container: Option<String>,
    outcome: Option<String>,
    exit_code: Option<i64>,
    started_at: i64,
    ended_at: Option<i64>,
}

/// Reads the attempts of a run's present generation, by step and number.
pub(super) async fn read_attempts(
    pool: &SqlitePool,
    run: &str,
) -> Result<Vec<AttemptRow>, StoreError> {
    let rows: Vec<AttemptColumns> = sqlx::query_as(
        "select step, attempt, container, outcome, exit_code, attempts.started_at, attempts.ended_at \
         from attempts join runs on runs.id = attempts.run and runs.generation = attempts.generation \
         where run = ? order by step, attempt",
    )
    .bind(run)
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(AttemptRow {
                step: count(row.step)?,
                attempt: count(row.attempt)?,
                container: row.container,
                outcome: row.outcome,
                exit_code: row.exit_code,
                started_at: time(row.started_at)?,
                ended_at: maybe_time(row.ended_at)?,
            })
        })
        .collect()
}

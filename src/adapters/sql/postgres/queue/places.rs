//! Where runs stand in their queues, and why they wait.

use sqlx::Row;

use super::super::read::{
    queue::{UNFINISHED, depth, reason, status_count},
    runs::summary,
};
use super::super::{PostgresStore, rows::Columns};
use crate::ports::{Place, QueueDepth, RunRow, StatusCount, StoreError};

/// Says where a run stands in its queue; `None` when it does not wait.
pub(super) async fn place(store: &PostgresStore, run: &str) -> Result<Option<Place>, StoreError> {
    let row = sqlx::query(
        "SELECT queue_state, (SELECT count(*) FROM runs AS other
            WHERE other.pool = runs.pool AND other.queue_state IN ('ready', 'waiting')
              AND (other.priority > runs.priority
                OR other.priority = runs.priority AND other.number < runs.number)) AS ahead
         FROM runs WHERE id = $1",
    )
    .bind(run)
    .fetch_optional(&store.pool)
    .await?
    .ok_or_else(|| StoreError::NoSuchRun(run.to_owned()))?;
    if row.try_get::<Option<&str>, _>("queue_state")?.is_none() {
        return Ok(None);
    }
    let limits = sqlx::query(
        "SELECT scope, allowed, (SELECT count(*) FROM slots WHERE slots.scope = waits.scope) AS used
         FROM waits JOIN limits USING (scope) WHERE run = $1 ORDER BY scope",
    )
    .bind(run)
    .fetch_all(&store.pool)
    .await?;
    Ok(Some(Place {
        ahead: row.count("ahead")?,
        waits_for: limits.iter().map(reason).collect::<Result<_, _>>()?,
    }))
}

/// Lists the first runs that wait in a pool, in the order in which they go.
pub(super) async fn line(
    store: &PostgresStore,
    pool: &str,
    limit: u32,
) -> Result<Vec<RunRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT runs.*, causes.* FROM runs LEFT JOIN causes ON caused_run = id
         WHERE pool = $1 AND queue_state IN ('ready', 'waiting')
         ORDER BY priority DESC, number LIMIT $2",
    )
    .bind(pool)
    .bind(i64::from(limit))
    .fetch_all(&store.pool)
    .await?;
    rows.iter().map(summary).collect()
}

/// Says how full each pool's queue is.
pub(super) async fn depths(store: &PostgresStore) -> Result<Vec<QueueDepth>, StoreError> {
    let rows = sqlx::query(
        "SELECT pool, count(*) AS waiting, min(created_at) AS oldest FROM runs
         WHERE queue_state IS NOT NULL GROUP BY pool ORDER BY pool",
    )
    .fetch_all(&store.pool)
    .await?;
    rows.iter().map(depth).collect()
}

/// Counts unfinished runs by status.
pub(super) async fn unfinished(store: &PostgresStore) -> Result<Vec<StatusCount>, StoreError> {
    let rows = sqlx::query(UNFINISHED).fetch_all(&store.pool).await?;
    rows.iter().map(status_count).collect()
}

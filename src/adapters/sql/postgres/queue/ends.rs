//! The ends of runs, until they have been told.

use std::time::Duration;

use sqlx::Row;

use super::super::{PostgresStore, leases::milliseconds, rows::Columns};
use crate::ports::StoreError;

/// Takes ends that nobody tells just now.
pub(super) async fn take(
    store: &PostgresStore,
    hold: Duration,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    let taken = sqlx::query(
        "UPDATE ends SET taken_until = now_ms() + $1
         WHERE run IN (SELECT run FROM ends WHERE taken_until <= now_ms() ORDER BY run LIMIT $2
            FOR UPDATE SKIP LOCKED)
         RETURNING run",
    )
    .bind(milliseconds(hold))
    .bind(i64::from(limit))
    .fetch_all(&store.pool)
    .await?;
    let mut runs: Vec<String> = taken
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?;
    runs.sort();
    Ok(runs)
}

/// Forgets an end.
pub(super) async fn forget(store: &PostgresStore, run: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM ends WHERE run = $1")
        .bind(run)
        .execute(&store.pool)
        .await?;
    Ok(())
}

/// Counts the ends that have not been told.
pub(super) async fn count(store: &PostgresStore) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT count(*) AS ends FROM ends")
        .fetch_one(&store.pool)
        .await?;
    row.count("ends")
}

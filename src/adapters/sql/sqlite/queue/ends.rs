//! The ends of runs, until they have been told.

use std::time::Duration;

use sqlx::Row;

use super::super::{SqliteStore, leases::milliseconds, rows::Columns};
use crate::ports::StoreError;

/// Takes ends that nobody tells just now.
pub(super) async fn take(
    store: &SqliteStore,
    hold: Duration,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    // Mostly there is none: looking needs no writer.
    let is_there: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM ends
            WHERE taken_until <= CAST(unixepoch('subsec') * 1000 AS INTEGER))",
    )
    .fetch_one(&store.readers)
    .await?;
    if !is_there {
        return Ok(Vec::new());
    }
    let taken = sqlx::query(
        "UPDATE ends SET taken_until = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?1
         WHERE run IN (SELECT run FROM ends
            WHERE taken_until <= CAST(unixepoch('subsec') * 1000 AS INTEGER) ORDER BY run LIMIT ?2)
         RETURNING run",
    )
    .bind(milliseconds(hold))
    .bind(limit)
    .fetch_all(&store.writer)
    .await?;
    let mut runs: Vec<String> = taken
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?;
    runs.sort();
    Ok(runs)
}

/// Forgets an end.
pub(super) async fn forget(store: &SqliteStore, run: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM ends WHERE run = ?1")
        .bind(run)
        .execute(&store.writer)
        .await?;
    Ok(())
}

/// Counts the ends that have not been told.
pub(super) async fn count(store: &SqliteStore) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT count(*) AS ends FROM ends")
        .fetch_one(&store.readers)
        .await?;
    row.count("ends")
}

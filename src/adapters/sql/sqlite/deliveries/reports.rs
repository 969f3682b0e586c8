//! What code hosts are still to be told of runs.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::super::read::deliveries::report;
use super::{
    super::{SqliteStore, leases::milliseconds},
    NOW,
};
use crate::ports::{Report, StoreError};

/// Takes reports of runs of which nothing was told, or that have ended since.
pub(super) async fn take_due(
    store: &SqliteStore,
    limit: u32,
    hold: Duration,
) -> Result<Vec<Report>, StoreError> {
    let sql = format!(
        "UPDATE reports SET claimed_until = {NOW} + ?2 WHERE run IN (
            SELECT run FROM reports JOIN runs ON runs.id = reports.run
            WHERE is_done = 0 AND claimed_until <= {NOW} AND (told = '' OR runs.ended_at IS NOT NULL)
            ORDER BY claimed_until LIMIT ?1) RETURNING run, target, told, attempts"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(i64::from(limit))
        .bind(milliseconds(hold))
        .fetch_all(&store.writer)
        .await?;
    rows.iter().map(report).collect()
}

/// Keeps what was told. A report is done once the end of its run is.
pub(super) async fn told(
    store: &SqliteStore,
    report: &Report,
    again_after: Duration,
) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE reports SET told = ?2, attempts = ?3, claimed_until = {NOW} + ?4, is_done = ?5 WHERE run = ?1"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(&report.run)
        .bind(&report.told)
        .bind(i64::from(report.attempts))
        .bind(milliseconds(again_after))
        .bind(i64::from(report.is_done()))
        .execute(&store.writer)
        .await?;
    Ok(())
}

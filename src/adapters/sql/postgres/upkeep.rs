//! What of the past may go.

use std::path::Path;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::read::runs::ended;
use super::{
    PostgresStore, dumps,
    rows::{Columns, time_text},
};
use crate::ports::{EndedRun, EndedTotals, StoreError, Upkeep};

/// Forgets what was decided before a moment, and the observations about which nothing is left.
const FORGET: [&str; 4] = [
    "DELETE FROM timer_occurrences WHERE decided_at < $1",
    "DELETE FROM base_decisions WHERE NOT is_waiting
        AND observation IN (SELECT number FROM observations WHERE at < $1)",
    "DELETE FROM observations WHERE at < $1
        AND NOT EXISTS (SELECT 1 FROM base_decisions WHERE observation = observations.number)",
    "DELETE FROM rollouts WHERE state NOT IN ('running', 'paused', 'scheduled') AND created_at < $1",
];

#[async_trait]
impl Upkeep for PostgresStore {
    async fn ended_runs(
        &self,
        before: Option<DateTime<Utc>>,
        limit: u32,
    ) -> Result<Vec<EndedRun>, StoreError> {
        let rows = sqlx::query(
            r#"SELECT id, coalesce(ended_at, created_at) AS ended_at,
                    (SELECT coalesce(sum(length), 0)::bigint FROM log_tail WHERE log_tail.run = runs.id) AS log_bytes
             FROM runs WHERE status NOT IN ('queued', 'preparing', 'running')
                AND ($1::text IS NULL OR coalesce(ended_at, created_at) COLLATE "C" < $1)
             ORDER BY number LIMIT $2"#,
        )
        .bind(before.map(time_text))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(ended).collect()
    }

    async fn ended_totals(&self) -> Result<EndedTotals, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM runs WHERE status NOT IN ('queued', 'preparing', 'running')) AS runs,
                    (SELECT coalesce(sum(length), 0)::bigint FROM log_tail) AS log_bytes",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(EndedTotals {
            runs: row.count("runs")?,
            log_bytes: row.count("log_bytes")?,
        })
    }

    async fn forget_facts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let millis = before.timestamp_millis();
        let mut transaction = self.pool.begin().await?;
        let deliveries = sqlx::query(
            r#"DELETE FROM deliveries WHERE decision IS NOT NULL AND received_at COLLATE "C" < $1"#,
        )
        .bind(time_text(before))
        .execute(&mut *transaction)
        .await?;
        let mut gone = deliveries.rows_affected();
        for sql in FORGET {
            let done = sqlx::query(sql).bind(millis);
            gone += done.execute(&mut *transaction).await?.rows_affected();
        }
        transaction.commit().await?;
        Ok(gone)
    }

    async fn dump(&self, into: &Path) -> Result<(), StoreError> {
        dumps::write(self, into).await
    }

    async fn restore(&self, from: &Path) -> Result<(), StoreError> {
        dumps::read(self, from).await
    }
}

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

    async fn dump(&self, into: &Path) -> Result<(), StoreError> {
        dumps::write(self, into).await
    }

    async fn restore(&self, from: &Path) -> Result<(), StoreError> {
        dumps::read(self, from).await
    }
}

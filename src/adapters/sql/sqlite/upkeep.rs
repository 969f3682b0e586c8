//! What of the past may go, and copies of the whole file.

use std::path::Path;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use super::read::runs::ended;
use super::{
    SqliteStore,
    rows::{Columns, time_text},
};
use crate::ports::{EndedRun, EndedTotals, StoreError, Upkeep};

/// What the copy of the database is called in a dump.
const COPY: &str = "careen.db";

/// Forgets what was decided before a moment, and the observations about which nothing is left.
const FORGET: [&str; 4] = [
    "DELETE FROM timer_occurrences WHERE decided_at < ?1",
    "DELETE FROM base_decisions WHERE is_waiting = 0
        AND observation IN (SELECT number FROM observations WHERE at < ?1)",
    "DELETE FROM observations WHERE at < ?1
        AND NOT EXISTS (SELECT 1 FROM base_decisions WHERE observation = observations.number)",
    "DELETE FROM rollouts WHERE state NOT IN ('running', 'paused', 'scheduled') AND created_at < ?1",
];

#[async_trait]
impl Upkeep for SqliteStore {
    async fn ended_runs(
        &self,
        before: Option<DateTime<Utc>>,
        limit: u32,
    ) -> Result<Vec<EndedRun>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, coalesce(ended_at, created_at) AS ended_at,
                    (SELECT coalesce(sum(length), 0) FROM frames WHERE frames.run = runs.id) AS log_bytes
             FROM runs WHERE status NOT IN ('queued', 'preparing', 'running')
                AND (?1 IS NULL OR coalesce(ended_at, created_at) < ?1)
             ORDER BY number LIMIT ?2",
        )
        .bind(before.map(time_text))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(ended).collect()
    }

    async fn ended_totals(&self) -> Result<EndedTotals, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM runs WHERE status NOT IN ('queued', 'preparing', 'running')) AS runs,
                    (SELECT coalesce(sum(length), 0) FROM frames) AS log_bytes",
        )
        .fetch_one(&self.readers)
        .await?;
        Ok(EndedTotals {
            runs: row.count("runs")?,
            log_bytes: row.count("log_bytes")?,
        })
    }

    async fn forget_facts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let millis = before.timestamp_millis();
        let mut transaction = self.begin().await?;
        let deliveries =
            sqlx::query("DELETE FROM deliveries WHERE decision IS NOT NULL AND received_at < ?1")
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
        // It reads at one moment and holds up no writer.
        let copy = into.join(COPY).display().to_string();
        let done = sqlx::query("VACUUM INTO ?1").bind(copy);
        done.execute(&self.readers).await?;
        Ok(())
    }

    async fn restore(&self, from: &Path) -> Result<(), StoreError> {
        let copy = from.join(COPY);
        // An older copy gets the tables of today; one that is too new is refused by name.
        SqliteStore::open(&copy).await?.close().await?;
        let options = self.readers.connect_options();
        let options = options.as_ref().clone().read_only(false);
        let mut connection = SqliteConnection::connect_with(&options).await?;
        sqlx::query("ATTACH ?1 AS copy")
            .bind(copy.display().to_string())
            .execute(&mut connection)
            .await?;
        replace(&mut connection).await?;
        Ok(connection.close().await?)
    }
}

impl SqliteStore {
    /// Closes the file, so that all of it is in the one file.
    async fn close(self) -> Result<(), StoreError> {
        self.readers.close().await;
        self.writer.close().await
    }
}

/// Replaces the rows of all tables.
async fn replace(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let tables: Vec<String> = sqlx::query(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'
            AND name <> '_sqlx_migrations'",
    )
    .fetch_all(&mut *connection)
    .await?
    .iter()
    .map(|row| row.try_get(0))
    .collect::<Result<_, _>>()?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    // Rows come before those they refer to.
    let mut run = vec!["PRAGMA defer_foreign_keys = ON".to_owned()];
    run.extend(tables.iter().map(|it| format!("DELETE FROM main.{it}")));
    let filling = |it| format!("INSERT INTO main.{it} SELECT * FROM copy.{it}");
    run.extend(tables.iter().map(filling));
    for sql in run {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        sql.execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

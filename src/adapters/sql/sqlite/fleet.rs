//! What is known of the fleet, and its rollouts.

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection};

use super::{
    SqliteStore,
    read::fleet::{body, entry, rollout},
};
use crate::ports::{FleetEntry, FleetStore, NumberedEntry, RolloutRow, StoreError};

#[async_trait]
impl FleetStore for SqliteStore {
    async fn add_entries(&self, entries: &[FleetEntry]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        add(&mut transaction, entries).await?;
        transaction.commit().await?;
        self.wake();
        Ok(())
    }

    async fn entries_after(
        &self,
        number: i64,
        limit: u32,
    ) -> Result<Vec<NumberedEntry>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM fleet_facts WHERE number > ?1 ORDER BY number LIMIT ?2")
                .bind(number)
                .bind(limit)
                .fetch_all(&self.readers)
                .await?;
        rows.iter().map(entry).collect()
    }

    async fn forget_entries(&self, numbers: &[i64]) -> Result<u64, StoreError> {
        let sql = "DELETE FROM fleet_facts WHERE number IN (SELECT value FROM json_each(?1))";
        let done = sqlx::query(sql).bind(body(&numbers)?);
        Ok(done.execute(&self.writer).await?.rows_affected())
    }

    async fn runs_gone(&self, runs: &[String]) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT value FROM json_each(?1) WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = value)",
        )
        .bind(body(&runs)?)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok(row.try_get("value")?)).collect()
    }

    async fn unlearned_ends(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query("SELECT run FROM fleet_ends ORDER BY run LIMIT ?1")
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| Ok(row.try_get("run")?)).collect()
    }

    async fn learn_end(&self, run: &str, entries: &[FleetEntry]) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let taken = sqlx::query("DELETE FROM fleet_ends WHERE run = ?1")
            .bind(run)
            .execute(&mut *transaction)
            .await?;
        if taken.rows_affected() == 0 {
            return Ok(false);
        }
        add(&mut transaction, entries).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn put_rollout(&self, rollout: &RolloutRow) -> Result<bool, StoreError> {
        let query = match rollout.version {
            0 => sqlx::query(
                "INSERT INTO rollouts (id, version, state, created_at, body)
                 VALUES (?1, ?2 + 1, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            ),
            _ => sqlx::query(
                "UPDATE rollouts SET version = ?2 + 1, state = ?3, created_at = ?4, body = ?5
                 WHERE id = ?1 AND version = ?2",
            ),
        };
        let written = query
            .bind(&rollout.id)
            .bind(i64::try_from(rollout.version).unwrap_or(i64::MAX))
            .bind(rollout.state.as_str())
            .bind(rollout.created_at.timestamp_millis())
            .bind(body(rollout)?)
            .execute(&self.writer)
            .await?;
        self.wake();
        Ok(written.rows_affected() > 0)
    }

    async fn rollout(&self, id: &str) -> Result<Option<RolloutRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM rollouts WHERE id = ?1")
            .bind(id)
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(rollout).transpose()
    }

    async fn rollouts(&self, only_open: bool, limit: u32) -> Result<Vec<RolloutRow>, StoreError> {
        let query = match only_open {
            true => sqlx::query(
                "SELECT * FROM rollouts WHERE state IN ('running', 'paused', 'scheduled')
                 ORDER BY created_at DESC, id DESC LIMIT ?1",
            ),
            false => {
                sqlx::query("SELECT * FROM rollouts ORDER BY created_at DESC, id DESC LIMIT ?1")
            }
        };
        let rows = query.bind(limit).fetch_all(&self.readers).await?;
        rows.iter().map(rollout).collect()
    }
}

async fn add(connection: &mut SqliteConnection, entries: &[FleetEntry]) -> Result<(), StoreError> {
    for entry in entries {
        sqlx::query(
            "INSERT INTO fleet_facts (once, subject, body) VALUES (?1, ?2, ?3)
             ON CONFLICT DO NOTHING",
        )
        .bind(entry.once())
        .bind(entry.subject())
        .bind(body(entry)?)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

//! Duties: whose they are is decided by the database's clock.

use std::time::Duration;

use async_trait::async_trait;

use super::{SqliteStore, leases::milliseconds, rows::Columns};
use crate::ports::{Duties, StoreError};

#[async_trait]
impl Duties for SqliteStore {
    async fn hold_duty(
        &self,
        duty: &str,
        holder: &str,
        time: Duration,
    ) -> Result<Option<u64>, StoreError> {
        let row = sqlx::query(
            "INSERT INTO duties (name, holder, until, generation)
             VALUES (?1, ?2, CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?3, 1)
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until,
                generation = duties.generation + CASE WHEN duties.holder = excluded.holder THEN 0 ELSE 1 END
             WHERE duties.holder = excluded.holder OR duties.until <= CAST(unixepoch('subsec') * 1000 AS INTEGER)
             RETURNING generation",
        )
        .bind(duty)
        .bind(holder)
        .bind(milliseconds(time))
        .fetch_optional(&self.writer)
        .await?;
        row.map(|row| row.count("generation")).transpose()
    }

    async fn leave_duty(&self, duty: &str, holder: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE duties SET until = 0 WHERE name = ?1 AND holder = ?2")
            .bind(duty)
            .bind(holder)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

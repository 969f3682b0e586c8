//! Duties: whose they are is decided by the database's clock.

use std::time::Duration;

use async_trait::async_trait;

use super::{PostgresStore, leases::milliseconds, rows::Columns};
use crate::ports::{Duties, StoreError};

#[async_trait]
impl Duties for PostgresStore {
    async fn hold_duty(
        &self,
        duty: &str,
        holder: &str,
        time: Duration,
    ) -> Result<Option<u64>, StoreError> {
        let row = sqlx::query(
            "INSERT INTO duties (name, holder, until, generation)
             VALUES ($1, $2, now_ms() + $3, 1)
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until,
                generation = duties.generation + CASE WHEN duties.holder = excluded.holder THEN 0 ELSE 1 END
             WHERE duties.holder = excluded.holder OR duties.until <= now_ms()
             RETURNING generation",
        )
        .bind(duty)
        .bind(holder)
        .bind(milliseconds(time))
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| row.count("generation")).transpose()
    }

    async fn leave_duty(&self, duty: &str, holder: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE duties SET until = 0 WHERE name = $1 AND holder = $2")
            .bind(duty)
            .bind(holder)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

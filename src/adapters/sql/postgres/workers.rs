//! The workers, as they said of themselves.

use async_trait::async_trait;

use super::{
    PostgresStore,
    read::workers::{by_owner, heard, worker},
};
use crate::ports::{
    Heard, SILENCE_SECONDS, StoreError, WorkerFacts, WorkerRow, WorkerState, Workers,
};

#[async_trait]
impl Workers for PostgresStore {
    async fn worker_is_here(&self, facts: &WorkerFacts) -> Result<Heard, StoreError> {
        let row = sqlx::query(
            "INSERT INTO workers (name, pool, facts, state, seen_at) VALUES ($1, $2, $3, 'active', now_ms())
             ON CONFLICT (name) DO UPDATE SET pool = excluded.pool, facts = excluded.facts, seen_at = excluded.seen_at
             RETURNING state, (SELECT coalesce(json_agg(name), '[]')::text FROM workers AS others
                WHERE others.pool = $2 AND others.name <> $1 AND others.state = 'active'
                  AND others.seen_at > now_ms() - $4) AS others",
        )
        .bind(&facts.name)
        .bind(&facts.pool)
        .bind(serde_json::json!(facts).to_string())
        .bind(SILENCE_SECONDS.cast_signed() * 1000)
        .fetch_one(&self.pool)
        .await?;
        heard(&facts.name, &row)
    }

    async fn worker_left(&self, name: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM workers WHERE name = $1 AND state = 'active'")
            .bind(name)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn workers(&self) -> Result<Vec<WorkerRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT *, now_ms() - seen_at AS silent FROM workers
             WHERE seen_at > now_ms() - 86400000 ORDER BY name",
        )
        .fetch_all(&self.pool)
        .await?;
        let under_way = sqlx::query(
            "SELECT id, lease_owner FROM runs WHERE pool IS NOT NULL AND queue_state IS NULL
                AND status IN ('queued', 'preparing', 'running') AND lease_owner IS NOT NULL ORDER BY number",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut runs = by_owner(&under_way)?;
        rows.iter().map(|row| worker(row, &mut runs)).collect()
    }

    async fn set_worker(&self, name: &str, state: WorkerState) -> Result<bool, StoreError> {
        let set = sqlx::query("UPDATE workers SET state = $2 WHERE name = $1")
            .bind(name)
            .bind(state.as_str())
            .execute(&self.pool)
            .await?;
        self.waking(Ok(set.rows_affected() > 0))
    }
}

//! Limits as people set and see them.

use super::super::read::queue::limit;
use super::{super::SqliteStore, slots};
use crate::ports::{LimitRow, LimitScope, StoreError};
use sqlx::{Row, SqliteConnection};

/// Sets a limit or takes it away, and lets the runs go that it holds back no more.
pub(super) async fn set(
    store: &SqliteStore,
    scope: &LimitScope,
    allowed: Option<u32>,
) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    let scope = scope.to_string();
    match allowed {
        Some(allowed) => {
            sqlx::query(
                "INSERT INTO limits (scope, allowed) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET allowed = excluded.allowed",
            )
            .bind(&scope)
            .bind(allowed)
            .execute(&mut *transaction)
            .await?;
        }
        None => {
            sqlx::query("DELETE FROM limits WHERE scope = ?1")
                .bind(&scope)
                .execute(&mut *transaction)
                .await?;
        }
    }
    wake_all_free(&mut transaction).await?;
    transaction.commit().await
}

/// Lists the limits that are set.
pub(super) async fn list(store: &SqliteStore) -> Result<Vec<LimitRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT scope, allowed, (SELECT count(*) FROM slots WHERE slots.scope = limits.scope) AS used,
                (SELECT count(*) FROM waits WHERE waits.scope = limits.scope) AS waiting
         FROM limits ORDER BY scope",
    )
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(limit).collect()
}

/// Lets as many runs go as limits have room for. What happens at the end of each run makes this rarely needed.
pub(super) async fn wake_all_free(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let free = sqlx::query(
        "SELECT scope, coalesce((SELECT allowed FROM limits WHERE limits.scope = held.scope), 1000000)
                - (SELECT count(*) FROM slots WHERE slots.scope = held.scope) AS free,
                (SELECT count(*) FROM waits WHERE waits.scope = held.scope) AS waiting
         FROM (SELECT DISTINCT scope FROM waits) AS held",
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in &free {
        let (free, waiting): (i64, i64) = (row.try_get("free")?, row.try_get("waiting")?);
        for _ in 0..free.min(waiting) {
            slots::wake_next(connection, row.try_get("scope")?).await?;
        }
    }
    Ok(())
}

//! Who stands on which bases.

use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection};

use super::super::read::bases::base;
use super::{SqliteStore, watches};
use crate::ports::{BaseRow, NewBase, StoreError};

/// Makes these the bases of a task.
pub(super) async fn put(
    store: &SqliteStore,
    task: &str,
    bases: &[NewBase],
    (from, at): (&str, DateTime<Utc>),
) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    let before = sqlx::query("DELETE FROM bases WHERE task = ?1 RETURNING key")
        .bind(task)
        .fetch_all(&mut *transaction)
        .await?;
    for base in bases {
        insert(&mut transaction, task, base, (from, at)).await?;
        watches::ensure(&mut transaction, base, at).await?;
    }
    for row in before {
        watches::forget_if_unused(&mut transaction, row.try_get("key")?).await?;
    }
    transaction.commit().await
}

async fn insert(
    connection: &mut SqliteConnection,
    task: &str,
    new: &NewBase,
    (from, at): (&str, DateTime<Utc>),
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO bases (task, key, is_runtime, stood_on, learned_from, learned_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )
    .bind(task)
    .bind(&new.base.key)
    .bind(new.base.is_runtime)
    .bind(&new.base.stood_on)
    .bind(from)
    .bind(at.timestamp_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Lists the bases of a task, or of all.
pub(super) async fn list(
    store: &SqliteStore,
    task: Option<&str>,
) -> Result<Vec<BaseRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM bases WHERE ?1 IS NULL OR task = ?1 ORDER BY task, key")
        .bind(task)
        .fetch_all(&store.readers)
        .await?;
    rows.iter().map(base).collect()
}

/// Lists who stands on something.
pub(super) async fn on(store: &SqliteStore, key: &str) -> Result<Vec<BaseRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM bases WHERE key = ?1 ORDER BY task")
        .bind(key)
        .fetch_all(&store.readers)
        .await?;
    rows.iter().map(base).collect()
}

//! What is looked at in registries, and when.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::super::read::bases::watch;
use super::SqliteStore;
use crate::ports::{Looked, NewBase, StoreError, Watch};

/// Begins to watch something, unless it is watched already.
pub(super) async fn ensure(
    connection: &mut SqliteConnection,
    new: &NewBase,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let rule = new
        .rule
        .as_ref()
        .map(|rule| serde_json::json!(rule).to_string());
    sqlx::query(
        "INSERT INTO watches (key, repository, rule, seen, next_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )
    .bind(&new.base.key)
    .bind(&new.repository)
    .bind(rule)
    .bind(&new.base.stood_on)
    .bind(at.timestamp_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Ceases to watch what nobody stands on.
pub(super) async fn forget_if_unused(
    connection: &mut SqliteConnection,
    key: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM watches WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM bases WHERE bases.key = ?1)",
    )
    .bind(key)
    .execute(connection)
    .await?;
    Ok(())
}

/// Lists what is watched for a task, or at all.
pub(super) async fn list(
    store: &SqliteStore,
    task: Option<&str>,
) -> Result<Vec<Watch>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM watches WHERE ?1 IS NULL OR key IN (SELECT key FROM bases WHERE task = ?1)
         ORDER BY key",
    )
    .bind(task)
    .fetch_all(&store.readers)
    .await?;
    rows.iter().map(watch).collect()
}

/// Claims what is to be looked at.
pub(super) async fn claim(
    store: &SqliteStore,
    now: DateTime<Utc>,
    held_until: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<Watch>, StoreError> {
    let rows = sqlx::query(
        "UPDATE watches SET held_until = ?2 WHERE key IN
            (SELECT key FROM watches WHERE next_at <= ?1 AND held_until <= ?1
             ORDER BY next_at LIMIT ?3)
         RETURNING *",
    )
    .bind(now.timestamp_millis())
    .bind(held_until.timestamp_millis())
    .bind(limit)
    .fetch_all(&store.writer)
    .await?;
    rows.iter().map(watch).collect()
}

/// Records looks that found nothing new, or failed.
pub(super) async fn looked(store: &SqliteStore, looks: &[Looked]) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    for look in looks {
        let query = match &look.problem {
            Some(problem) => sqlx::query(
                "UPDATE watches SET next_at = ?2, held_until = 0, failures = failures + 1, problem = ?3
                 WHERE key = ?1",
            )
            .bind(&look.key)
            .bind(look.next_at.timestamp_millis())
            .bind(problem),
            None => sqlx::query(
                "UPDATE watches SET next_at = ?2, held_until = 0, failures = 0, problem = NULL,
                    prompt = NULL, looked_at = ?3 WHERE key = ?1",
            )
            .bind(&look.key)
            .bind(look.next_at.timestamp_millis())
            .bind(look.at.timestamp_millis()),
        };
        query.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// Lets a tag, and the rules that follow its repository, be looked at now.
pub(super) async fn look_now(
    store: &SqliteStore,
    repository: &str,
    tag: &str,
    (prompt, at): (&str, DateTime<Utc>),
) -> Result<u64, StoreError> {
    let prompted = sqlx::query(
        "UPDATE watches SET next_at = ?3, held_until = 0, prompt = ?4
         WHERE repository = ?1 AND (rule IS NOT NULL OR key = ?2)",
    )
    .bind(repository)
    .bind(format!("{repository}:{tag}"))
    .bind(at.timestamp_millis())
    .bind(prompt)
    .execute(&store.writer)
    .await?;
    Ok(prompted.rows_affected())
}

//! Who may deliver, with secrets as sealed as they came.

use super::super::read::deliveries::hook_source;
use super::super::{SqliteStore, rows::time_text};
use crate::ports::{HookSource, StoreError};

/// Sets a source.
pub(super) async fn put(store: &SqliteStore, source: &HookSource) -> Result<(), StoreError> {
    let previous = source.previous.as_ref();
    sqlx::query(
        "INSERT INTO hook_sources (name, provider, task, key_id, sealed, previous_key_id, previous_sealed,
                previous_until, token_key_id, token_sealed, api, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (name) DO UPDATE SET provider = ?2, task = ?3, key_id = ?4, sealed = ?5, previous_key_id = ?6,
                previous_sealed = ?7, previous_until = ?8, token_key_id = ?9, token_sealed = ?10, api = ?11,
                updated_at = ?12",
    )
    .bind(&source.name)
    .bind(source.provider.as_str())
    .bind(&source.task)
    .bind(&source.secret.key_id)
    .bind(&source.secret.bytes)
    .bind(previous.map(|(sealed, _)| &sealed.key_id))
    .bind(previous.map(|(sealed, _)| &sealed.bytes))
    .bind(previous.map(|(_, until)| time_text(*until)))
    .bind(source.token.as_ref().map(|it| &it.key_id))
    .bind(source.token.as_ref().map(|it| &it.bytes))
    .bind(&source.api)
    .bind(time_text(source.updated_at))
    .execute(&store.writer)
    .await?;
    Ok(())
}

/// Puts other seals in the place of those that stand there; every setting of a source seals its secret anew.
pub(super) async fn reseal(
    store: &SqliteStore,
    from: &HookSource,
    to: &HookSource,
) -> Result<bool, StoreError> {
    let previous = to.previous.as_ref();
    let resealed = sqlx::query(
        "UPDATE hook_sources SET key_id = ?3, sealed = ?4, previous_key_id = ?5, previous_sealed = ?6,
                token_key_id = ?7, token_sealed = ?8
         WHERE name = ?1 AND sealed = ?2",
    )
    .bind(&from.name)
    .bind(&from.secret.bytes)
    .bind(&to.secret.key_id)
    .bind(&to.secret.bytes)
    .bind(previous.map(|(sealed, _)| &sealed.key_id))
    .bind(previous.map(|(sealed, _)| &sealed.bytes))
    .bind(to.token.as_ref().map(|it| &it.key_id))
    .bind(to.token.as_ref().map(|it| &it.bytes))
    .execute(&store.writer)
    .await?;
    Ok(resealed.rows_affected() > 0)
}

/// Removes a source.
pub(super) async fn remove(store: &SqliteStore, name: &str) -> Result<bool, StoreError> {
    let removed = sqlx::query("DELETE FROM hook_sources WHERE name = ?1")
        .bind(name)
        .execute(&store.writer)
        .await?;
    Ok(removed.rows_affected() > 0)
}

/// Lists sources by name.
pub(super) async fn list(store: &SqliteStore) -> Result<Vec<HookSource>, StoreError> {
    let rows = sqlx::query("SELECT * FROM hook_sources ORDER BY name")
        .fetch_all(&store.readers)
        .await?;
    rows.iter().map(hook_source).collect()
}

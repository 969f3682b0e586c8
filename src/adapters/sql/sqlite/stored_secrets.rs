//! Secrets for tasks, as sealed as they came.

use async_trait::async_trait;

use super::read::secrets::stored_secret;
use super::{SqliteStore, rows::time_text};
use crate::ports::{Sealed, SecretStore, StoreError, StoredSecret};

#[async_trait]
impl SecretStore for SqliteStore {
    async fn set_secret(&self, secret: &StoredSecret) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO stored_secrets (name, key_id, sealed, updated_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET key_id = ?2, sealed = ?3, updated_at = ?4",
        )
        .bind(&secret.name)
        .bind(&secret.sealed.key_id)
        .bind(&secret.sealed.bytes)
        .bind(time_text(secret.updated_at))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn reseal_secret(
        &self,
        name: &str,
        from: &Sealed,
        to: &Sealed,
    ) -> Result<bool, StoreError> {
        let resealed = sqlx::query(
            "UPDATE stored_secrets SET key_id = ?3, sealed = ?4 WHERE name = ?1 AND sealed = ?2",
        )
        .bind(name)
        .bind(&from.bytes)
        .bind(&to.key_id)
        .bind(&to.bytes)
        .execute(&self.writer)
        .await?;
        Ok(resealed.rows_affected() > 0)
    }

    async fn remove_secret(&self, name: &str) -> Result<bool, StoreError> {
        let removed = sqlx::query("DELETE FROM stored_secrets WHERE name = ?1")
            .bind(name)
            .execute(&self.writer)
            .await?;
        Ok(removed.rows_affected() > 0)
    }

    async fn stored_secrets(&self) -> Result<Vec<StoredSecret>, StoreError> {
        let rows = sqlx::query("SELECT * FROM stored_secrets ORDER BY name")
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(stored_secret).collect()
    }
}

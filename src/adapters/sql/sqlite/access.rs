//! Tokens, the audit log and answered requests.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::read::access::{entry, known, token};
use super::{SqliteStore, rows::time_text};
use crate::ports::{AccessStore, Answer, AuditEntry, Known, StoreError, TokenRow};

#[async_trait]
impl AccessStore for SqliteStore {
    async fn add_token(&self, token: &TokenRow, hash: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO tokens (hash, id, name, role, created_at, expires_at, last_used_at, revoked_at, credentials)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )
            .bind(hash)
            .bind(&token.id)
            .bind(&token.name)
            .bind(token.role.as_str())
            .bind(time_text(token.created_at))
            .bind(token.expires_at.map(time_text))
            .bind(token.last_used_at.map(time_text))
            .bind(token.revoked_at.map(time_text))
            .bind(token.credentials.as_ref().map(|it| json!(it).to_string()))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn token(&self, hash: &str) -> Result<Option<TokenRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM tokens WHERE hash = ?1")
            .bind(hash)
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(token).transpose()
    }

    async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM tokens ORDER BY created_at, id")
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(token).collect()
    }

    async fn revoke_token(&self, id: &str, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let revoked =
            sqlx::query("UPDATE tokens SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1")
                .bind(id)
                .bind(time_text(at))
                .execute(&self.writer)
                .await?;
        Ok(revoked.rows_affected() > 0)
    }

    async fn touch_token(&self, id: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query("UPDATE tokens SET last_used_at = ?2 WHERE id = ?1")
            .bind(id)
            .bind(time_text(at))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO audit (at, who, action, status, address) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(time_text(entry.at))
        .bind(&entry.who)
        .bind(&entry.action)
        .bind(entry.status)
        .bind(&entry.address)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn audited(&self, before: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let before = match before {
            0 => i64::MAX,
            number => number.cast_signed(),
        };
        let rows =
            sqlx::query("SELECT * FROM audit WHERE number < ?1 ORDER BY number DESC LIMIT ?2")
                .bind(before)
                .bind(limit)
                .fetch_all(&self.readers)
                .await?;
        rows.iter().map(entry).collect()
    }

    async fn begin_request(
        &self,
        key: &str,
        fingerprint: &str,
        at: DateTime<Utc>,
    ) -> Result<Known, StoreError> {
        let begun = sqlx::query(
            "INSERT INTO requests (key, fingerprint, began_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO NOTHING",
        )
        .bind(key)
        .bind(fingerprint)
        .bind(time_text(at))
        .execute(&self.writer)
        .await?;
        if begun.rows_affected() > 0 {
            return Ok(Known::New);
        }
        let row = sqlx::query("SELECT fingerprint, status, body FROM requests WHERE key = ?1")
            .bind(key)
            .fetch_optional(&self.writer)
            .await?;
        match row {
            Some(row) => known(&row, fingerprint),
            // It was forgotten in between.
            None => Ok(Known::UnderWay),
        }
    }

    async fn end_request(&self, key: &str, answer: Option<&Answer>) -> Result<(), StoreError> {
        let query = match answer {
            Some(answer) => {
                sqlx::query("UPDATE requests SET status = ?2, body = ?3 WHERE key = ?1")
                    .bind(key)
                    .bind(answer.status)
                    .bind(&answer.body)
            }
            None => sqlx::query("DELETE FROM requests WHERE key = ?1").bind(key),
        };
        query.execute(&self.writer).await?;
        Ok(())
    }

    async fn forget_requests(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM requests WHERE began_at < ?1")
            .bind(time_text(before))
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

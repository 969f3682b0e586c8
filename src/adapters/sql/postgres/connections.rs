//! Connections: their rows, with passwords as sealed as they came.

use async_trait::async_trait;

use super::read::connections::connection;
use super::{PostgresStore, errors, rows::time_text};
use crate::ports::{Connection, ConnectionStore, PasswordSource, Sealed, StoreError};

#[async_trait]
impl ConnectionStore for PostgresStore {
    async fn add_connection(&self, connection: &Connection) -> Result<bool, StoreError> {
        let sql = "INSERT INTO connections (name, server, prefix, username, key_id, sealed, pull_only, authority,
                       plain_http, updated_at, id, created_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        write(self, sql, connection).await
    }

    async fn update_connection(&self, connection: &Connection) -> Result<bool, StoreError> {
        let sql = "UPDATE connections SET name = $1, server = $2, prefix = $3, username = $4, key_id = $5,
                       sealed = $6, pull_only = $7, authority = $8, plain_http = $9, updated_at = $10
                   WHERE id = $11 AND created_at = $12";
        write(self, sql, connection).await
    }

    async fn reseal_connection(
        &self,
        id: &str,
        from: &Sealed,
        to: &Sealed,
    ) -> Result<bool, StoreError> {
        let resealed = sqlx::query(
            "UPDATE connections SET key_id = $3, sealed = $4 WHERE id = $1 AND sealed = $2",
        )
        .bind(id)
        .bind(&from.bytes)
        .bind(&to.key_id)
        .bind(&to.bytes)
        .execute(&self.pool)
        .await?;
        Ok(resealed.rows_affected() > 0)
    }

    async fn remove_connection(&self, name: &str) -> Result<bool, StoreError> {
        let removed = sqlx::query("DELETE FROM connections WHERE name = $1")
            .bind(name)
            .execute(&self.pool)
            .await?;
        Ok(removed.rows_affected() > 0)
    }

    async fn connections(&self) -> Result<Vec<Connection>, StoreError> {
        let rows = sqlx::query("SELECT * FROM connections ORDER BY name")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(connection).collect()
    }
}

/// Writes a row; a statement that changes nothing, or breaks the rule that names are used once, is `false`.
async fn write(
    store: &PostgresStore,
    sql: &'static str,
    connection: &Connection,
) -> Result<bool, StoreError> {
    let sealed = match &connection.password {
        PasswordSource::Sealed(sealed) => Some(sealed),
        PasswordSource::DockerConfig => None,
    };
    let written = sqlx::query(sql)
        .bind(&connection.name)
        .bind(&connection.server)
        .bind(&connection.prefix)
        .bind(&connection.username)
        .bind(sealed.map(|it| &it.key_id))
        .bind(sealed.map(|it| &it.bytes))
        .bind(connection.pull_only)
        .bind(&connection.authority)
        .bind(connection.plain_http)
        .bind(time_text(connection.updated_at))
        .bind(&connection.id)
        .bind(time_text(connection.created_at))
        .execute(&store.pool)
        .await;
    match written {
        Err(error) if errors::is_taken(&error) => Ok(false),
        other => Ok(other?.rows_affected() > 0),
    }
}

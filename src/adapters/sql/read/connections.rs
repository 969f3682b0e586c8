//! Connections to registries, out of their rows.

use super::super::rows::Columns;
use crate::ports::{Connection, PasswordSource, Sealed, StoreError};

/// Reads a connection.
pub(in crate::adapters::sql) fn connection(row: &impl Columns) -> Result<Connection, StoreError> {
    let key_id: Option<String> = row.value("key_id")?;
    let password = match key_id {
        Some(key_id) => PasswordSource::Sealed(Sealed {
            key_id,
            bytes: row.value("sealed")?,
        }),
        None => PasswordSource::DockerConfig,
    };
    Ok(Connection {
        id: row.value("id")?,
        name: row.value("name")?,
        server: row.value("server")?,
        prefix: row.value("prefix")?,
        username: row.value("username")?,
        password,
        pull_only: row.value("pull_only")?,
        authority: row.value("authority")?,
        plain_http: row.value("plain_http")?,
        created_at: row.parsed("created_at")?,
        updated_at: row.parsed("updated_at")?,
    })
}

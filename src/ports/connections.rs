//! Connections: named credentials of registries, kept with their passwords sealed.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Sealed, StoreError};

/// Where a connection's password is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// In the store, sealed.
    Sealed(Sealed),
    /// Where the docker client keeps its own: its configuration file or a credential helper, asked at each use.
    DockerConfig,
}

/// A named credential of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The id that binds the sealed password to this row; never changes, never used again.
    pub id: String,
    /// The name that people give it.
    pub name: String,
    /// The registry's host, with its port.
    pub server: String,
    /// The repositories it is for: those at or below this path; empty is all of them.
    pub prefix: String,
    /// The user; empty where the docker client's own login says it.
    pub username: String,
    /// Where the password is.
    pub password: PasswordSource,
    /// Whether it must not be used to push or delete, whatever the registry would allow.
    pub pull_only: bool,
    /// The certificate of the private authority that vouches for the host, in PEM.
    pub authority: Option<String>,
    /// Whether the host may be spoken to in plain http.
    pub plain_http: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Connection {
    /// What the sealed password is bound to.
    pub fn row(&self) -> String {
        format!("connection/{}", self.id)
    }

    /// Host and repositories, for people.
    pub fn place(&self) -> String {
        match self.prefix.as_str() {
            "" => self.server.clone(),
            prefix => format!("{}/{prefix}", self.server),
        }
    }
}

/// Keeps connections.
#[async_trait]
pub trait ConnectionStore: Send + Sync {
    /// Adds one; `false` when the name is taken.
    async fn add_connection(&self, connection: &Connection) -> Result<bool, StoreError>;
    /// Replaces the one with this id; `false` when it is gone or its new name is taken.
    async fn update_connection(&self, connection: &Connection) -> Result<bool, StoreError>;
    /// Puts another seal of the same password in the place of one; `false` when that is not there any more.
    async fn reseal_connection(
        &self,
        id: &str,
        from: &Sealed,
        to: &Sealed,
    ) -> Result<bool, StoreError>;
    /// Removes the one with this name; `false` when there is none.
    async fn remove_connection(&self, name: &str) -> Result<bool, StoreError>;
    /// Lists all of them, by name.
    async fn connections(&self) -> Result<Vec<Connection>, StoreError>;
}

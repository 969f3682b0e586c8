//! Secrets that are kept for tasks, sealed.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Sealed, StoreError};

/// A named secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSecret {
    /// Its name.
    pub name: String,
    /// Its value, sealed for this name.
    pub sealed: Sealed,
    /// When it was last set.
    pub updated_at: DateTime<Utc>,
}

impl StoredSecret {
    /// What the sealed value of a name is bound to.
    pub fn row(name: &str) -> String {
        format!("stored secret/{name}")
    }
}

/// Keeps secrets for tasks.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// Sets a secret, whether or not there was one of this name.
    async fn set_secret(&self, secret: &StoredSecret) -> Result<(), StoreError>;
    /// Puts another seal of the same value in the place of one; `false` when that is not there any more.
    async fn reseal_secret(
        &self,
        name: &str,
        from: &Sealed,
        to: &Sealed,
    ) -> Result<bool, StoreError>;
    /// Removes a secret; `false` when there is none.
    async fn remove_secret(&self, name: &str) -> Result<bool, StoreError>;
    /// Lists all of them, by name.
    async fn stored_secrets(&self) -> Result<Vec<StoredSecret>, StoreError>;
}

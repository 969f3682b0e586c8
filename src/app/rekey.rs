//! Sealing with a new key what an earlier one sealed.

use super::{App, AppError};
use crate::ports::{PasswordSource, StoredSecret};

/// What was sealed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rekeyed {
    /// Whether a new key was made; otherwise whoever gives the keys had put one before the others.
    pub is_new: bool,
    /// The key that seals now.
    pub key_id: String,
    /// How many connections it sealed.
    pub connections: usize,
    /// How many secrets it sealed.
    pub secrets: usize,
}

impl App {
    /// Makes a new key and seals connections and secrets with it. What runs and tasks sealed stays under the earlier
    /// keys, which still open it. Cut off in the middle, it loses nothing and can be done again.
    pub async fn rekey(&self) -> Result<Rekeyed, AppError> {
        let is_new = self.vault.renew()?;
        let key_id = self.vault.key_id()?;
        Ok(Rekeyed {
            is_new,
            connections: self.reseal_connections(&key_id).await?,
            secrets: self.reseal_secrets(&key_id).await?,
            key_id,
        })
    }

    async fn reseal_connections(&self, key_id: &str) -> Result<usize, AppError> {
        let store = &self.credentials.connections;
        let mut count = 0;
        for mut connection in store.connections().await? {
            let PasswordSource::Sealed(sealed) = &connection.password else {
                continue;
            };
            if sealed.key_id != key_id {
                let password = self.vault.open(&connection.row(), sealed)?;
                let sealed = self.vault.seal(&connection.row(), &password)?;
                connection.password = PasswordSource::Sealed(sealed);
                count += usize::from(store.update_connection(&connection).await?);
            }
        }
        Ok(count)
    }

    async fn reseal_secrets(&self, key_id: &str) -> Result<usize, AppError> {
        let store = &self.credentials.secrets;
        let mut count = 0;
        for mut secret in store.stored_secrets().await? {
            if secret.sealed.key_id != key_id {
                let row = StoredSecret::row(&secret.name);
                let value = self.vault.open(&row, &secret.sealed)?;
                secret.sealed = self.vault.seal(&row, &value)?;
                store.set_secret(&secret).await?;
                count += 1;
            }
        }
        Ok(count)
    }
}

//! Sealing with a new key what an earlier one sealed, beside whoever changes it meanwhile.

use super::{App, AppError};
use crate::ports::{HookSource, PasswordSource, Sealed, StoredSecret};

/// How often is looked again for what others sealed with an earlier key meanwhile.
const PASSES: usize = 5;

/// What was sealed anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rekeyed {
    /// Whether a new key was made; otherwise whoever gives the keys had put one before the others.
    pub is_new: bool,
    /// The key that seals now.
    pub key_id: String,
    /// How many connections it sealed.
    pub connections: usize,
    /// How many secrets it sealed.
    pub secrets: usize,
    /// How many sources of deliveries it sealed.
    pub sources: usize,
}

impl Rekeyed {
    fn total(&self) -> usize {
        self.connections + self.secrets + self.sources
    }
}

impl App {
    /// Makes a new key and seals connections, secrets and sources with it. What runs and tasks sealed stays under the
    /// earlier keys, which still open it. Cut off in the middle, it loses nothing and can be done again. Who sets
    /// something meanwhile wins: each seal is put only in the place of the one that was opened.
    pub async fn rekey(&self) -> Result<Rekeyed, AppError> {
        let mut done = Rekeyed {
            is_new: self.vault.renew()?,
            key_id: self.vault.key_id()?,
            ..Rekeyed::default()
        };
        for _ in 0..PASSES {
            let before = done.total();
            self.reseal_connections(&mut done).await?;
            self.reseal_secrets(&mut done).await?;
            self.reseal_sources(&mut done).await?;
            if done.total() == before {
                break;
            }
        }
        Ok(done)
    }

    async fn reseal_connections(&self, done: &mut Rekeyed) -> Result<(), AppError> {
        let store = &self.credentials.connections;
        for connection in store.connections().await? {
            let PasswordSource::Sealed(from) = &connection.password else {
                continue;
            };
            if from.key_id != done.key_id {
                let to = self.sealed_anew(&connection.row(), from)?;
                let resealed = store.reseal_connection(&connection.id, from, &to).await?;
                done.connections += usize::from(resealed);
            }
        }
        Ok(())
    }

    async fn reseal_secrets(&self, done: &mut Rekeyed) -> Result<(), AppError> {
        let store = &self.credentials.secrets;
        for secret in store.stored_secrets().await? {
            let from = &secret.sealed;
            if from.key_id != done.key_id {
                let to = self.sealed_anew(&StoredSecret::row(&secret.name), from)?;
                let resealed = store.reseal_secret(&secret.name, from, &to).await?;
                done.secrets += usize::from(resealed);
            }
        }
        Ok(())
    }

    async fn reseal_sources(&self, done: &mut Rekeyed) -> Result<(), AppError> {
        for from in self.deliveries.sources().await? {
            let previous = from.previous.as_ref().map(|(sealed, _)| sealed);
            let sealed = [Some(&from.secret), previous, from.token.as_ref()];
            let mut sealed = sealed.into_iter().flatten();
            if sealed.any(|it| it.key_id != done.key_id) {
                let to = self.source_anew(&from)?;
                let resealed = self.deliveries.reseal_source(&from, &to).await?;
                done.sources += usize::from(resealed);
            }
        }
        Ok(())
    }

    fn source_anew(&self, from: &HookSource) -> Result<HookSource, AppError> {
        let anew =
            |what, sealed: &Sealed| self.sealed_anew(&HookSource::row(&from.name, what), sealed);
        let previous = from.previous.as_ref();
        let previous = previous.map(|(sealed, until)| {
            let sealed = anew("secret", sealed)?;
            Ok::<_, AppError>((sealed, *until))
        });
        let token = from.token.as_ref().map(|it| anew("token", it));
        Ok(HookSource {
            secret: anew("secret", &from.secret)?,
            previous: previous.transpose()?,
            token: token.transpose()?,
            ..from.clone()
        })
    }

    fn sealed_anew(&self, row: &str, from: &Sealed) -> Result<Sealed, AppError> {
        let value = self.vault.open(row, from)?;
        Ok(self.vault.seal(row, &value)?)
    }
}

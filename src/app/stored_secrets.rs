//! Secrets that are kept for tasks: set, removed, and found for the runs that name them.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::{App, AppError, Request, Secrets, connections::check_name, prepare};
use crate::ports::{StoredSecret, VaultError};

impl App {
    /// Sets a secret, whether or not there was one of this name.
    pub async fn set_secret(&self, name: &str, value: &SecretString) -> Result<(), AppError> {
        check_name("secret", name)?;
        let secret = StoredSecret {
            name: name.to_owned(),
            sealed: self.vault.seal(&StoredSecret::row(name), value)?,
            updated_at: self.ports.clock.now(),
        };
        Ok(self.credentials.secrets.set_secret(&secret).await?)
    }

    /// Removes a secret.
    pub async fn remove_secret(&self, name: &str) -> Result<(), AppError> {
        match self.credentials.secrets.remove_secret(name).await? {
            true => Ok(()),
            false => Err(no_secret(name)),
        }
    }

    /// Opens the secret of a name.
    pub async fn stored_secret(&self, name: &str) -> Result<SecretString, AppError> {
        let all = self.credentials.secrets.stored_secrets().await?;
        let found = all.iter().find(|it| it.name == name);
        self.open_secret(found.ok_or_else(|| no_secret(name))?)
    }

    /// Finds what a task declares and nobody gave: by the name that the settings have for its vault address, else
    /// under its own id. What is not found either is told later, all at once.
    pub async fn find_secrets(
        &self,
        request: &Request,
        secrets: &mut Secrets,
        by_address: &BTreeMap<String, String>,
    ) -> Result<(), AppError> {
        let declared = prepare::declared_secrets(request, secrets)?;
        let wanted: Vec<_> = declared
            .into_iter()
            .filter(|it| !secrets.declared.contains_key(&it.id))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let all = self.credentials.secrets.stored_secrets().await?;
        for secret in wanted {
            let bare = |address: &str| address.trim_end_matches('/').to_lowercase();
            let mapped = by_address
                .iter()
                .find(|(address, _)| bare(address) == bare(&secret.keyvault));
            let name = mapped.map_or(&secret.id, |(_, name)| name);
            if let Some(found) = all.iter().find(|it| it.name == *name) {
                secrets.declared.insert(secret.id, self.open_secret(found)?);
            }
        }
        Ok(())
    }

    fn open_secret(&self, secret: &StoredSecret) -> Result<SecretString, AppError> {
        let name = &secret.name;
        let opened = self.vault.open(&StoredSecret::row(name), &secret.sealed);
        opened.map_err(|error| match error {
            VaultError::DoesNotOpen(_) => AppError::usage(
                format!("the secret {name} does not open: it was sealed with another key"),
                format!("careen secret set {name} sets it anew"),
            ),
            other => other.into(),
        })
    }
}

fn no_secret(name: &str) -> AppError {
    AppError::usage(
        format!("there is no secret {name}"),
        "careen secret list shows those there are; careen secret set adds one",
    )
}

//! Whether a process has what runs need beside an engine: the right key, and an object store that answers.

use crate::{
    app::App,
    ports::{PasswordSource, Sealed, StoredSecret, VaultError},
};

impl App {
    /// Says in words what would make runs fail here that end well elsewhere; the key is tried when that is wanted.
    pub(super) async fn bar(&self, with_key: bool) -> Option<String> {
        if with_key && let Some(bar) = self.bar_of_key().await {
            return Some(bar);
        }
        let checked = self.objects.check().await;
        checked.err().map(|error| error.in_full())
    }

    /// A key that does not open what is stored would make errors of runs that need it.
    async fn bar_of_key(&self) -> Option<String> {
        let connections = self.credentials.connections.connections().await;
        // A database that cannot be asked is another trouble, which is said elsewhere.
        for connection in connections.unwrap_or_default() {
            if let PasswordSource::Sealed(sealed) = &connection.password
                && let Some(bar) = self.unopened(&connection.row(), sealed)
            {
                return Some(bar);
            }
        }
        let secrets = self.credentials.secrets.stored_secrets().await;
        let mut secrets = secrets.unwrap_or_default().into_iter();
        secrets.find_map(|it| self.unopened(&StoredSecret::row(&it.name), &it.sealed))
    }

    fn unopened(&self, row: &str, sealed: &Sealed) -> Option<String> {
        match self.vault.open(row, sealed) {
            Ok(_) => None,
            Err(error @ VaultError::Key { .. }) => Some(error.to_string()),
            Err(VaultError::DoesNotOpen(_)) => Some(format!(
                "its key does not open {row}, which the key {} sealed; give it that key (CAREEN_KEY_FILE)",
                sealed.key_id
            )),
        }
    }
}

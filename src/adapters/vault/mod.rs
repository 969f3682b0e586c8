//! Seals values with XChaCha20-Poly1305 under a key of 32 bytes; earlier keys still open what they sealed.

mod key;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use chacha20poly1305::{
    XNonce,
    aead::{Aead, Generate, Payload},
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use self::key::Keys;
use crate::ports::{Sealed, Vault, VaultError};

/// Bytes of the random nonce in front of each cipher text; so many may be drawn blindly.
const NONCE_BYTES: usize = 24;

/// A vault whose keys are in a file or were given. They are read, or the first is made, when one is first needed.
pub struct FileVault {
    source: KeySource,
    keys: Mutex<Option<Arc<Keys>>>,
}

/// Where the keys come from.
enum KeySource {
    /// Our own file, made when it is missing, refused when others can read it.
    Own(PathBuf),
    /// A file that someone else mounts and answers for.
    Mounted(PathBuf),
    /// The keys themselves in base64, and the name under which they were given.
    Given(&'static str, SecretString),
}

impl FileVault {
    /// Uses the key in this file; makes the file where there is none.
    pub fn open(key_file: &Path) -> FileVault {
        FileVault::with(KeySource::Own(key_file.to_owned()))
    }

    /// Uses the key in `CAREEN_KEY` (base64), else in the file that `CAREEN_KEY_FILE` names (base64 or 32 bytes), else
    /// in `key_file`; `variable` looks a variable up. Of several keys, in lines, the first seals.
    pub fn from_environment(
        key_file: &Path,
        variable: impl Fn(&str) -> Option<String>,
    ) -> FileVault {
        if let Some(key) = variable("CAREEN_KEY") {
            return FileVault::with(KeySource::Given("CAREEN_KEY", key.into()));
        }
        match variable("CAREEN_KEY_FILE") {
            Some(path) => FileVault::with(KeySource::Mounted(path.into())),
            None => FileVault::open(key_file),
        }
    }

    fn with(source: KeySource) -> FileVault {
        let keys = Mutex::new(None);
        FileVault { source, keys }
    }

    fn keys(&self) -> Result<Arc<Keys>, VaultError> {
        let known = self.known().clone();
        known.map_or_else(|| self.read(), Ok)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<Arc<Keys>>> {
        // Whoever panicked left nothing half done.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> Result<Arc<Keys>, VaultError> {
        Ok(self.take(match &self.source {
            KeySource::Own(path) => key::read_or_make(path)?,
            KeySource::Mounted(path) => key::read(path)?,
            KeySource::Given(name, text) => key::parse(name, text.expose_secret().as_bytes())?,
        }))
    }

    fn take(&self, keys: Keys) -> Arc<Keys> {
        let keys = Arc::new(keys);
        *self.known() = Some(keys.clone());
        keys
    }

    /// Gives the keys that this one is among; another process may have added it since they were read.
    fn keys_with(&self, id: &str) -> Result<Arc<Keys>, VaultError> {
        let keys = self.keys()?;
        match keys.find(id) {
            Some(_) => Ok(keys),
            None => self.read(),
        }
    }
}

impl Vault for FileVault {
    fn seal(&self, row: &str, value: &SecretString) -> Result<Sealed, VaultError> {
        let keys = self.keys()?;
        let key = keys.first();
        let nonce = XNonce::generate();
        let payload = Payload {
            msg: value.expose_secret().as_bytes(),
            aad: row.as_bytes(),
        };
        let text = key.cipher.encrypt(&nonce, payload);
        let text = text.expect("only a text of 256 gigabytes is too long");
        Ok(Sealed {
            key_id: key.id.clone(),
            bytes: [&nonce[..], &text].concat(),
        })
    }

    fn open(&self, row: &str, sealed: &Sealed) -> Result<SecretString, VaultError> {
        let closed = || VaultError::DoesNotOpen(row.to_owned());
        let keys = self.keys_with(&sealed.key_id)?;
        let key = keys.find(&sealed.key_id).ok_or_else(closed)?;
        let (nonce, text) = sealed
            .bytes
            .split_at_checked(NONCE_BYTES)
            .ok_or_else(closed)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| closed())?;
        let payload = Payload {
            msg: text,
            aad: row.as_bytes(),
        };
        let opened = key.cipher.decrypt(&nonce, payload);
        let opened = Zeroizing::new(opened.map_err(|_| closed())?);
        let value = std::str::from_utf8(&opened).map_err(|_| closed())?;
        // A copy of exactly its size: growing or shrinking would leave the value behind in freed memory.
        Ok(SecretString::from(value.to_owned()))
    }

    fn key_id(&self) -> Result<String, VaultError> {
        Ok(self.keys()?.first().id.clone())
    }

    fn renew(&self) -> Result<bool, VaultError> {
        match &self.source {
            KeySource::Own(path) => {
                self.take(key::renew(path)?);
                Ok(true)
            }
            // Whoever mounts or gives keys puts a new one before them.
            KeySource::Mounted(_) | KeySource::Given(..) => {
                self.read()?;
                Ok(false)
            }
        }
    }
}

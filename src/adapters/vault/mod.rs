//! Seals values with XChaCha20-Poly1305 under one key of 32 bytes.

mod key;

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use chacha20poly1305::{
    XNonce,
    aead::{Aead, Generate, Payload},
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use self::key::Key;
use crate::ports::{Sealed, Vault, VaultError};

/// Bytes of the random nonce in front of each cipher text; so many may be drawn blindly.
const NONCE_BYTES: usize = 24;

/// A vault whose key is in a file or was given. The key is read, or made, when it is first needed.
pub struct FileVault {
    source: KeySource,
    key: OnceLock<Key>,
}

/// Where the key comes from.
enum KeySource {
    /// Our own file, made when it is missing, refused when others can read it.
    Own(PathBuf),
    /// A file that someone else mounts and answers for.
    Mounted(PathBuf),
    /// The key itself in base64, and the name under which it was given.
    Given(&'static str, SecretString),
}

impl FileVault {
    /// Uses the key in this file; makes the file where there is none.
    pub fn open(key_file: &Path) -> FileVault {
        FileVault::with(KeySource::Own(key_file.to_owned()))
    }

    /// Uses the key in `CAREEN_KEY` (base64), else in the file that `CAREEN_KEY_FILE` names (base64 or 32 bytes), else
    /// in `key_file`; `variable` looks a variable up.
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
        let key = OnceLock::new();
        FileVault { source, key }
    }

    fn key(&self) -> Result<&Key, VaultError> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let key = match &self.source {
            KeySource::Own(path) => key::read_or_make(path)?,
            KeySource::Mounted(path) => key::read(path)?,
            KeySource::Given(name, text) => key::parse(name, text.expose_secret().as_bytes())?,
        };
        Ok(self.key.get_or_init(|| key))
    }
}

impl Vault for FileVault {
    fn seal(&self, row: &str, value: &SecretString) -> Result<Sealed, VaultError> {
        let key = self.key()?;
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
        let key = self.key()?;
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
}

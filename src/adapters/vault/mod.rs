//! Seals values under a key kept in a file: XChaCha20-Poly1305, the row as associated data.

use std::{
    fs::File,
    io::{Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, KeyInit, Payload},
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::ports::{Sealed, Vault, VaultError};

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes of a nonce; it stands before the cipher text.
const NONCE_BYTES: usize = 24;
/// Bytes of a key's hash that name it.
const KEY_ID_BYTES: usize = 6;

/// A vault whose key is read, or made, when it is first needed.
pub struct FileVault {
    path: PathBuf,
    key: OnceLock<Key>,
}

struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

impl FileVault {
    /// Uses a key file; without one, a key is drawn and written there for its owner alone.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            key: OnceLock::new(),
        }
    }

    fn key(&self) -> Result<&Key, VaultError> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let bytes = read_or_make(&self.path).map_err(|reason| VaultError::Key {
            path: self.path.display().to_string(),
            reason,
        })?;
        let id = Sha256::digest(bytes.as_slice())[..KEY_ID_BYTES]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let cipher =
            XChaCha20Poly1305::new(bytes.as_slice().try_into().map_err(|_| VaultError::Key {
                path: self.path.display().to_string(),
                reason: format!("it must hold {KEY_BYTES} bytes"),
            })?);
        Ok(self.key.get_or_init(|| Key { id, cipher }))
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
        let text = key
            .cipher
            .encrypt(&nonce, payload)
            .map_err(|_| VaultError::DoesNotOpen(row.to_owned()))?;
        Ok(Sealed {
            key_id: key.id.clone(),
            bytes: [nonce.as_slice(), &text].concat(),
        })
    }

    fn open(&self, row: &str, sealed: &Sealed) -> Result<SecretString, VaultError> {
        let refused = || VaultError::DoesNotOpen(row.to_owned());
        let key = self.key()?;
        let (nonce, text) = sealed
            .bytes
            .split_at_checked(NONCE_BYTES)
            .ok_or_else(refused)?;
        let nonce: XNonce = nonce.try_into().map_err(|_| refused())?;
        let payload = Payload {
            msg: text,
            aad: row.as_bytes(),
        };
        let opened = key.cipher.decrypt(&nonce, payload).map_err(|_| refused())?;
        let opened = Zeroizing::new(opened);
        let text = std::str::from_utf8(&opened).map_err(|_| refused())?;
        Ok(SecretString::from(text))
    }
}

/// Reads the key file; makes it when it is not there. Others must not be able to read it.
fn read_or_make(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    match File::open(path) {
        Ok(file) => read(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(path),
        Err(error) => Err(error.to_string()),
    }
}

fn read(mut file: File) -> Result<Zeroizing<Vec<u8>>, String> {
    let meta = file.metadata().map_err(|error| error.to_string())?;
    if meta.mode() & 0o077 != 0 {
        return Err("others can read it; run chmod 600 on it".to_owned());
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_BYTES + 1));
    file.read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn make(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let text = |error: std::io::Error| error.to_string();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(text)?;
    }
    let bytes = Zeroizing::new(chacha20poly1305::Key::generate().to_vec());
    // Written aside and linked into place, so that two that start at once agree on one key.
    let mut aside =
        tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new("."))).map_err(text)?;
    aside.write_all(&bytes).map_err(text)?;
    aside.as_file().sync_all().map_err(text)?;
    match aside.persist_noclobber(path) {
        Ok(_) => Ok(bytes),
        Err(_) => read(
            File::options()
                .read(true)
                .mode(0o600)
                .open(path)
                .map_err(text)?,
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::{ExposeSecret, SecretString};

    use super::FileVault;
    use crate::ports::Vault;

    #[test]
    fn a_value_opens_in_its_own_row_only_and_with_its_own_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let vault = FileVault::new(folder.path().join("a/key"));
        let sealed = vault
            .seal("c1/value:x", &SecretString::from("hunter2"))
            .unwrap();
        assert!(!sealed.bytes.windows(7).any(|it| it == b"hunter2"));
        let again = FileVault::new(folder.path().join("a/key"));
        let opened = again.open("c1/value:x", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), "hunter2");
        assert!(again.open("c2/value:x", &sealed).is_err());
        let other = FileVault::new(folder.path().join("b/key"));
        assert!(other.open("c1/value:x", &sealed).is_err());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let vault = FileVault::new(path.clone());
        vault.seal("r", &SecretString::from("v")).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = FileVault::new(path)
            .seal("r", &SecretString::from("v"))
            .unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}

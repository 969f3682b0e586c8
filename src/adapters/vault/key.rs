//! The key of a vault, read from a file or made there.

use std::{
    fs::{DirBuilder, File},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use rand::{TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::ports::VaultError;

const KEY_BYTES: usize = 32;
/// How many bytes of the key's hash tell keys apart.
const ID_BYTES: usize = 8;
/// A file that is larger holds no key.
const MOST_BYTES: u64 = 1_000;

/// A key ready for use; the cipher wipes it when dropped.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) cipher: XChaCha20Poly1305,
}

impl Key {
    fn new(bytes: &[u8]) -> Option<Key> {
        let cipher = XChaCha20Poly1305::new_from_slice(bytes).ok()?;
        let hash = Sha256::digest(bytes);
        let id = hash[..ID_BYTES].iter().map(|b| format!("{b:02x}"));
        let id = id.collect();
        Some(Key { id, cipher })
    }
}

/// Reads the key that is ours alone, or makes one where there is no file.
pub(super) fn read_or_make(path: &Path) -> Result<Key, VaultError> {
    let failed = |error: io::Error| unusable(path, error);
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make(path).map_err(failed)?;
        }
        Err(error) => return Err(failed(error)),
        Ok(file) => refuse_if_shared(path, &file)?,
    }
    read(path)
}

/// Reads a key as it is or in base64.
pub(super) fn read(path: &Path) -> Result<Key, VaultError> {
    let failed = |error: io::Error| unusable(path, error);
    // Room for all of it at once: a buffer that grows would leave parts of the key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * MOST_BYTES as usize));
    let file = File::open(path).map_err(failed)?;
    file.take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    match Key::new(&bytes) {
        Some(key) => Ok(key),
        None => parse(&path.display().to_string(), &bytes),
    }
}

/// Reads a key in base64; `name` says where it is from.
pub(super) fn parse(name: &str, text: &[u8]) -> Result<Key, VaultError> {
    let decoded = STANDARD.decode(text.trim_ascii()).map(Zeroizing::new);
    let key = decoded.ok().and_then(|bytes| Key::new(&bytes));
    key.ok_or_else(|| unusable(Path::new(name), "it is not a key of 32 bytes in base64"))
}

/// Makes the file with a random key, whole and at once: another process may do the same, and the first wins.
fn make(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    OsRng.try_fill_bytes(&mut *key).map_err(io::Error::other)?;
    let mut file = NamedTempFile::new_in(folder)?; // readable by its owner alone
    file.write_all(&*key)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop).map_err(|error| error.error),
    }
}

fn refuse_if_shared(path: &Path, file: &File) -> Result<(), VaultError> {
    let metadata = file.metadata().map_err(|error| unusable(path, error))?;
    if metadata.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    let mend = format!("others can read it (chmod 600 {})", path.display());
    Err(unusable(path, mend))
}

fn unusable(path: &Path, reason: impl ToString) -> VaultError {
    VaultError::Key {
        path: path.display().to_string(),
        reason: reason.to_string(),
    }
}

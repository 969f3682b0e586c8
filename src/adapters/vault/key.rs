//! The keys of a vault, read from a file or made there; the first seals, and all of them open.

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
/// A file that is larger holds no keys.
const MOST_BYTES: u64 = 10_000;

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

/// Keys, the newest first.
pub(super) struct Keys(Vec<Key>);

impl Keys {
    /// The key that seals.
    pub(super) fn first(&self) -> &Key {
        &self.0[0]
    }

    /// Finds the key that sealed something.
    pub(super) fn find(&self, id: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.id == id)
    }

    fn of<B: AsRef<[u8]>>(all: impl Iterator<Item = B>) -> Option<Keys> {
        let keys: Option<Vec<Key>> = all.map(|bytes| Key::new(bytes.as_ref())).collect();
        keys.filter(|keys| !keys.is_empty()).map(Keys)
    }
}

/// Reads the keys that are ours alone, or makes one where there is no file.
pub(super) fn read_or_make(path: &Path) -> Result<Keys, VaultError> {
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

/// Reads keys as they are or in base64.
pub(super) fn read(path: &Path) -> Result<Keys, VaultError> {
    let bytes = contents(path).map_err(|error| unusable(path, error))?;
    let parsed = parse(&path.display().to_string(), &bytes);
    parsed.or_else(|error| Keys::of(bytes.chunks(KEY_BYTES)).ok_or(error))
}

fn contents(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for all of it at once: a buffer that grows would leave parts of the keys behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * MOST_BYTES as usize));
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads keys in base64, one in a line; `name` says where they are from.
pub(super) fn parse(name: &str, text: &[u8]) -> Result<Keys, VaultError> {
    let lines = text.split(|byte| byte.is_ascii_whitespace());
    let lines = lines.filter(|line| !line.is_empty());
    let decoded: Result<Vec<_>, _> = lines
        .map(|line| STANDARD.decode(line).map(Zeroizing::new))
        .collect();
    let keys = decoded.ok().and_then(|all| Keys::of(all.iter()));
    keys.ok_or_else(|| unusable(Path::new(name), "it is not a key of 32 bytes in base64"))
}

/// Puts a new key before those of our own file, whole and at once.
pub(super) fn renew(path: &Path) -> Result<Keys, VaultError> {
    let failed = |error: io::Error| unusable(path, error);
    read_or_make(path)?;
    // Two that renew at once would lose one of the new keys, and what it had sealed.
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path.with_extension("lock"))
        .map_err(failed)?;
    lock.lock().map_err(failed)?;
    let earlier = contents(path).map_err(failed)?;
    let earlier = raw(path, &earlier)?;
    let file = written(path, &earlier).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    read(path)
}

/// The bytes of keys, whichever way they are written.
fn raw(path: &Path, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    if parse(&path.display().to_string(), bytes).is_err() {
        read(path)?;
        return Ok(Zeroizing::new(bytes.to_vec()));
    }
    let lines = bytes.split(|byte| byte.is_ascii_whitespace());
    let decoded = lines.flat_map(|line| STANDARD.decode(line).unwrap_or_default());
    Ok(Zeroizing::new(decoded.collect()))
}

/// Makes the file with a random key, whole and at once: another process may do the same, and the first wins.
fn make(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let file = written(path, &[])?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop).map_err(|error| error.error),
    }
}

/// Writes a random key and those after it beside the file that they are for, readable by its owner alone.
fn written(path: &Path, earlier: &[u8]) -> io::Result<NamedTempFile> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    OsRng.try_fill_bytes(&mut *key).map_err(io::Error::other)?;
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(&*key)?;
    file.write_all(earlier)?;
    file.as_file().sync_all()?;
    Ok(file)
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

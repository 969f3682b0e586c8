//! What servers call the archives that are here, so that they need not send them again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{adapters::folder::open::hex, ports::Access};

/// The folder of the cache that marks are in.
pub const FOLDER: &str = "marks";

/// An archive that is here, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// What the server calls it.
    pub etag: String,
    /// Its digest.
    pub digest: String,
}

/// Reads the mark of an address; what cannot be read is no mark.
pub fn read(root: &Path, url: &str, access: &Access) -> Option<Mark> {
    let text = fs::read(path_of(root, url, access)?).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Writes the mark of an address. Without it the next download is only longer.
pub fn write(root: &Path, url: &str, access: &Access, mark: &Mark) {
    let Some(path) = path_of(root, url, access) else {
        return;
    };
    put(&path, mark);
}

/// Writes a mark whole or not at all.
pub fn put(path: &Path, mark: &impl Serialize) {
    let whole = path.with_extension(uuid::Uuid::new_v4().to_string());
    let _ = fs::create_dir_all(path.parent().unwrap_or(path))
        .and_then(|()| fs::write(&whole, serde_json::to_vec(mark).unwrap_or_default()))
        .and_then(|()| fs::rename(&whole, path));
}

/// Addresses are hashed, for they may be of any length; what only a login or a signature opens is not marked.
fn path_of(root: &Path, url: &str, access: &Access) -> Option<PathBuf> {
    let is_open = access.login.is_none() && access.query.is_none();
    is_open.then(|| root.join(FOLDER).join(hex(&Sha256::digest(url))))
}

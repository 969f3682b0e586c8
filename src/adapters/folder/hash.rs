//! The content hash of a selection: equal where a build or a run would see the same files.

use std::{
    io::{self, Read},
    os::unix::ffi::OsStrExt,
    path::Path,
};

use sha2::{Digest, Sha256};

use super::{
    ContextError, Entry, Selection,
    open::hex,
    source::{self, Source},
};

/// Every piece is preceded by its length, so that no two selections write the same bytes.
struct Hasher(Sha256);

/// Hashes entries in the order in which they come, as `sha256:…`.
pub fn hash_entries<'e>(
    entries: impl Iterator<Item = Result<&'e Entry, ContextError>>,
) -> Result<String, ContextError> {
    let mut hasher = Hasher(Sha256::new());
    for entry in entries {
        hasher.add(entry?)?;
    }
    Ok(hasher.finish())
}

/// Hashes a selection, as `sha256:…`.
pub fn content_hash(selection: &Selection) -> Result<String, ContextError> {
    let mut hasher = Hasher(Sha256::new());
    for entry in selection.walk()? {
        let entry = entry?;
        if !selection.replaces(&entry.path) {
            hasher.add(&entry)?;
        }
    }
    for (name, content) in selection.added() {
        hasher.begin(Path::new(name), b'f', 0o644);
        hasher.add_bytes(content);
    }
    Ok(hasher.finish())
}

impl Hasher {
    fn finish(self) -> String {
        format!("sha256:{}", hex(&self.0.finalize()))
    }

    fn add(&mut self, entry: &Entry) -> Result<(), ContextError> {
        let mode = source::mode(entry);
        match source::open(entry)? {
            Source::Folder => self.begin(&entry.path, b'd', mode),
            Source::Link(target) => {
                // A link's own mode means nothing and differs between systems.
                self.begin(&entry.path, b'l', 0);
                self.add_bytes(target.as_os_str().as_bytes());
            }
            Source::File(mut content) => {
                self.begin(&entry.path, b'f', mode);
                self.0.update(content.size().to_le_bytes());
                self.add_content(&mut content)
                    .map_err(|error| ContextError::reading(&entry.full_path, error))?;
            }
            // What is not sent does not count.
            Source::Unsendable(_) | Source::Gone => {}
        }
        Ok(())
    }

    fn begin(&mut self, path: &Path, kind: u8, mode: u32) {
        self.add_bytes(path.as_os_str().as_bytes());
        self.0.update([kind]);
        self.0.update(mode.to_le_bytes());
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn add_content(&mut self, content: &mut impl Read) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match content.read(&mut buffer)? {
                0 => return Ok(()),
                count => self.0.update(&buffer[..count]),
            }
        }
    }
}

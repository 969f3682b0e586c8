//! The files of a build's context one by one, for builders that ask only for what they lack.

use std::{
    fs::{self, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    ContextError, Entry, Notes, Selection,
    open::hex,
    source::{self, Source},
};
use crate::ports::{ContextEntry, ContextFiles, EntryKind, FolderError};

/// A selection, and the Dockerfile beside it.
pub struct Files {
    selection: Selection,
    dockerfile: PathBuf,
    /// What the Dockerfile is to be read as, in place of what it holds.
    text: Option<String>,
    notes: Notes,
}

impl Files {
    /// Takes what is selected and the Dockerfile, a path of this machine.
    pub fn new(selection: Selection, dockerfile: &Path, notes: Notes) -> Files {
        Files {
            selection,
            dockerfile: dockerfile.to_owned(),
            text: None,
            notes,
        }
    }

    /// Puts another text in place of the Dockerfile's own.
    pub fn with_text(mut self, text: Option<&str>) -> Files {
        self.text = text.map(str::to_owned);
        self
    }

    /// Describes an entry; `None` for what cannot be sent.
    fn described(&self, entry: &Entry) -> Result<Option<ContextEntry>, FolderError> {
        let kind = entry.metadata.file_type();
        let kind = if kind.is_dir() {
            EntryKind::Folder
        } else if kind.is_file() {
            EntryKind::File(entry.metadata.len())
        } else if kind.is_symlink() {
            match fs::read_link(&entry.full_path) {
                Ok(target) => EntryKind::Link(text(&target)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(ContextError::reading(&entry.full_path, error).into()),
            }
        } else {
            let path = entry.path.display();
            (self.notes)(format!("{path} is left out: it is no file, folder or link"));
            return Ok(None);
        };
        Ok(Some(ContextEntry {
            path: text(&entry.path)?,
            kind,
            mode: source::mode(entry),
            modified_nanos: modified_nanos(&entry.metadata),
        }))
    }
}

impl ContextFiles for Files {
    /// Hashes where the folder is: this machine, the path, and which folder it is by its number.
    fn key(&self) -> String {
        let machine = fs::read("/etc/machine-id").unwrap_or_default();
        let root = self.selection.root();
        let number = fs::metadata(root).map_or(0, |metadata| metadata.ino());
        let mut hash = Sha256::new();
        hash.update(machine);
        hash.update(root.as_os_str().as_encoded_bytes());
        hash.update(number.to_le_bytes());
        hex(&hash.finalize())
    }

    fn dockerfile(&self) -> Result<(String, Vec<u8>), FolderError> {
        let name = self.dockerfile.file_name().map(Path::new);
        let name = text(name.unwrap_or(Path::new("Dockerfile")))?;
        if let Some(text) = &self.text {
            return Ok((name, text.clone().into_bytes()));
        }
        let content = fs::read(&self.dockerfile)
            .map_err(|error| ContextError::reading(&self.dockerfile, error))?;
        Ok((name, content))
    }

    fn list(&self) -> Result<Vec<ContextEntry>, FolderError> {
        let mut list = Vec::new();
        for entry in self.selection.walk()? {
            list.extend(self.described(&entry?)?);
        }
        Ok(list)
    }

    fn open(&self, entry: &ContextEntry) -> Result<Option<Box<dyn Read + Send>>, FolderError> {
        let full_path = self.selection.root().join(&entry.path);
        let metadata = match fs::symlink_metadata(&full_path) {
            Ok(metadata) if metadata.is_file() => metadata,
            _ => return Ok(None),
        };
        // A link put in place of a folder above would lead out of the context.
        let resolved = fs::canonicalize(&full_path);
        if !resolved.is_ok_and(|path| path.starts_with(self.selection.root())) {
            return Ok(None);
        }
        let entry = Entry {
            path: PathBuf::from(&entry.path),
            full_path,
            metadata,
        };
        Ok(match source::open(&entry)? {
            Source::File(content) => Some(Box::new(content)),
            _ => None,
        })
    }
}

fn modified_nanos(metadata: &Metadata) -> i64 {
    let seconds = metadata.mtime().saturating_mul(1_000_000_000);
    seconds.saturating_add(metadata.mtime_nsec())
}

/// Takes a name as text, which is all that builders can be told.
fn text(path: &Path) -> Result<String, FolderError> {
    let name = path.to_str().map(str::to_owned);
    name.ok_or_else(|| {
        FolderError(format!(
            "the name {} is not UTF-8: rename it or leave it out with .dockerignore",
            path.display()
        ))
    })
}

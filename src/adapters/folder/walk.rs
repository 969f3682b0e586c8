//! Walking a folder by ignore rules, in the order of names.
//!
//! Links are never followed, and an ignored folder is not even opened unless something below it may be kept. (Walkers
//! that sort read a folder before one can decline it.) So `!**/README` finds what lies in ignored folders, as BuildKit
//! does and docker's classic command line does not.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fs::{self, FileType, Metadata},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    vec,
};

use super::{ContextError, Hidden};
use crate::dockerignore::Rules;

/// A file, folder or link that is kept.
#[derive(Debug)]
pub struct Entry {
    /// Where it is, relative to the folder.
    pub path: PathBuf,
    /// Where it is on this machine.
    pub full_path: PathBuf,
    /// What it is; of a link, the link itself.
    pub metadata: Metadata,
}

/// The kept entries of a folder, each folder before what is in it.
pub struct Walk {
    root: PathBuf,
    hidden: Hidden,
    rules: Arc<Rules>,
    levels: Vec<Level>,
    ready: VecDeque<Entry>,
    folders_read: usize,
}

/// A folder being walked.
struct Level {
    path: PathBuf,
    names: vec::IntoIter<(OsString, FileType)>,
    /// The folder itself where it is ignored: it is told of only if something below it is kept.
    held: Option<Entry>,
}

impl Walk {
    pub(super) fn new(
        (root, hidden): (PathBuf, Hidden),
        rules: Arc<Rules>,
    ) -> Result<Walk, ContextError> {
        let mut walk = Walk {
            root,
            hidden,
            rules,
            levels: Vec::new(),
            ready: VecDeque::new(),
            folders_read: 0,
        };
        walk.enter(PathBuf::new(), None)?;
        Ok(walk)
    }

    /// Counts the folders opened so far.
    pub fn folders_read(&self) -> usize {
        self.folders_read
    }

    fn next_name(&mut self) -> Option<(PathBuf, FileType)> {
        while let Some(level) = self.levels.last_mut() {
            if let Some((name, kind)) = level.names.next() {
                return Some((level.path.join(name), kind));
            }
            self.levels.pop();
        }
        None
    }

    fn visit(&mut self, path: PathBuf, kind: FileType) -> Result<(), ContextError> {
        let name = path.to_string_lossy();
        let ignored = self.rules.is_ignored(&name);
        if self.hidden.holds(&path) {
            return Ok(());
        }
        if ignored && !(kind.is_dir() && self.rules.may_hold_kept(&name)) {
            return Ok(());
        }
        let Some(entry) = look_at(&self.root, &path)? else {
            return Ok(());
        };
        let is_folder = entry.metadata.is_dir();
        let held = match ignored {
            true => Some(entry),
            false => {
                let above = self.levels.iter_mut().filter_map(|level| level.held.take());
                self.ready.extend(above);
                self.ready.push_back(entry);
                None
            }
        };
        match is_folder {
            true => self.enter(path, held),
            false => Ok(()),
        }
    }

    fn enter(&mut self, path: PathBuf, held: Option<Entry>) -> Result<(), ContextError> {
        let full_path = self.root.join(&path);
        let mut names = match read_names(&full_path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            result => result.map_err(|error| ContextError::reading(&full_path, error))?,
        };
        names.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        self.folders_read += 1;
        self.levels.push(Level {
            path,
            names: names.into_iter(),
            held,
        });
        Ok(())
    }
}

impl Iterator for Walk {
    type Item = Result<Entry, ContextError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            let (path, kind) = self.next_name()?;
            if let Err(error) = self.visit(path, kind) {
                return Some(Err(error));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

/// Looks at an entry of a folder without following it; `None` if it is not there, or has gone meanwhile.
pub(super) fn look_at(root: &Path, path: &Path) -> Result<Option<Entry>, ContextError> {
    let full_path = root.join(path);
    match fs::symlink_metadata(&full_path) {
        Ok(metadata) => Ok(Some(Entry {
            path: path.to_owned(),
            full_path,
            metadata,
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ContextError::reading(&full_path, error)),
    }
}

fn read_names(folder: &Path) -> io::Result<Vec<(OsString, FileType)>> {
    fs::read_dir(folder)?
        .map(|entry| entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))))
        .collect()
}

//! Folders kept under the name of their content, until room is needed.
//!
//! A folder is made as a draft and gets its name by one rename, so that nothing half done is ever found. Whoever uses
//! one holds its lock file, shared; what is to go is locked alone first. Names, drafts and lock files only change under
//! one more lock, held for moments, so that any number of careens may use one cache.

mod draft;
mod removal;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

pub use draft::Draft;

use crate::ports::Held;

/// The file of an entry that tells its size, and by its own time when the entry was last used.
const SIZE: &str = "bytes";
/// The folder of an entry that is what was kept.
const TREE: &str = "tree";
const DRAFTS: &str = "drafts";

/// A folder of kept folders.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
    cap_bytes: u64,
}

/// A kept folder in use.
#[derive(Debug)]
pub struct Kept {
    /// Where the files are.
    pub tree: PathBuf,
    _lock: File,
}

impl Held for Kept {}

/// An entry, as the choice of what goes sees it.
struct Entry {
    name: String,
    bytes: u64,
    used: SystemTime,
}

impl Cache {
    /// Uses a folder, which is made when something is first kept; it holds about so many bytes.
    pub fn new(root: PathBuf, cap_bytes: u64) -> Cache {
        Cache { root, cap_bytes }
    }

    /// The folder, for notes beside what is kept.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Finds what is kept under a name, and holds it.
    pub fn find(&self, name: &str) -> io::Result<Option<Kept>> {
        if !self.root.join(name).join(TREE).is_dir() {
            return Ok(None);
        }
        let _alone = self.alone()?;
        self.hold(name)
    }

    /// Begins a folder that has no name yet.
    pub fn begin(&self) -> io::Result<Draft> {
        fs::create_dir_all(self.root.join(DRAFTS))?;
        let _alone = self.alone()?;
        Draft::begin(&self.root.join(DRAFTS))
    }

    /// Gives a draft its name. When another careen was faster, its folder is taken: the name says they are equal.
    pub fn put(&self, mut draft: Draft, name: &str) -> io::Result<Kept> {
        draft.finish()?;
        let entry = self.root.join(name);
        let kept = {
            let _alone = self.alone()?;
            if !entry.join(TREE).is_dir() {
                fs::rename(draft.folder(), &entry)?;
            }
            self.hold(name)?
        };
        drop(draft);
        // There is always another day to make room.
        let _ = self.make_room();
        kept.ok_or_else(|| io::Error::other(format!("{} went away", entry.display())))
    }

    /// Removes what careens that died left half done, then the longest unused until the cap is kept.
    pub fn make_room(&self) -> io::Result<()> {
        self.remove_dead_drafts()?;
        let mut entries = self.entries()?;
        entries.sort_by_key(|entry| entry.used);
        let mut bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
        for entry in entries {
            if bytes <= self.cap_bytes {
                break;
            }
            if let Some(gone) = self.take_away(&entry.name)? {
                removal::remove(&gone)?;
                bytes -= entry.bytes;
            }
        }
        Ok(())
    }

    /// Takes a lock under which names change; it is held for moments only.
    fn alone(&self) -> io::Result<File> {
        fs::create_dir_all(&self.root)?;
        let lock = lock_file(&self.root.join("lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    fn hold(&self, name: &str) -> io::Result<Option<Kept>> {
        let entry = self.root.join(name);
        let tree = entry.join(TREE);
        if !tree.is_dir() {
            return Ok(None);
        }
        let lock = lock_file(&self.lock_path(name))?;
        lock.lock_shared()?;
        if let Ok(size) = File::options().write(true).open(entry.join(SIZE)) {
            // Without it the entry only goes earlier than it should.
            let _ = size.set_modified(SystemTime::now());
        }
        Ok(Some(Kept { tree, _lock: lock }))
    }

    fn lock_path(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}.lock"))
    }

    fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for found in fs::read_dir(&self.root)? {
            let found = found?;
            let size = found.path().join(SIZE);
            let (Ok(metadata), Ok(text)) = (fs::metadata(&size), fs::read_to_string(&size)) else {
                continue;
            };
            entries.push(Entry {
                name: found.file_name().to_string_lossy().into_owned(),
                bytes: text.trim().parse().unwrap_or(0),
                used: metadata.modified()?,
            });
        }
        Ok(entries)
    }

    /// Takes an entry's name away, if nobody uses it, and says where it is now.
    fn take_away(&self, name: &str) -> io::Result<Option<PathBuf>> {
        let _alone = self.alone()?;
        let lock = lock_file(&self.lock_path(name))?;
        if lock.try_lock().is_err() {
            return Ok(None);
        }
        let gone = self
            .root
            .join(DRAFTS)
            .join(uuid::Uuid::new_v4().to_string());
        fs::create_dir_all(self.root.join(DRAFTS))?;
        fs::rename(self.root.join(name), &gone)?;
        fs::remove_file(self.lock_path(name))?;
        Ok(Some(gone))
    }

    fn remove_dead_drafts(&self) -> io::Result<()> {
        let folder = self.root.join(DRAFTS);
        let Ok(found) = fs::read_dir(&folder) else {
            return Ok(());
        };
        for found in found {
            let path = found?.path();
            if path.is_dir() && !draft::is_alive(&path, || self.alone())? {
                removal::remove(&path)?;
            }
        }
        Ok(())
    }
}

/// Opens a lock file, which is made if it is missing.
fn lock_file(path: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
}

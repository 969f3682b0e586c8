//! A folder that is being made: it is removed unless it gets a name, by its maker or after its maker's death.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::{SIZE, TREE, lock_file, removal};

/// Room for what is only needed while a folder is made.
const SCRATCH: &str = "scratch";

/// A folder without a name.
#[derive(Debug)]
pub struct Draft {
    folder: PathBuf,
    /// Held for as long as the draft is alive.
    _lock: File,
}

impl Draft {
    pub(super) fn begin(drafts: &Path) -> io::Result<Draft> {
        let folder = drafts.join(uuid::Uuid::new_v4().to_string());
        let lock = lock_file(&lock_path(&folder))?;
        lock.lock()?;
        let draft = Draft {
            folder,
            _lock: lock,
        };
        fs::create_dir_all(draft.tree())?;
        fs::create_dir(draft.scratch())?;
        Ok(draft)
    }

    /// Where the files go that are to be kept.
    pub fn tree(&self) -> PathBuf {
        self.folder.join(TREE)
    }

    /// Where other files may go.
    pub fn scratch(&self) -> PathBuf {
        self.folder.join(SCRATCH)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Drops the scratch and notes the size.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        removal::remove(&self.scratch())?;
        let bytes = removal::bytes_in(&self.tree())?;
        fs::write(self.folder.join(SIZE), bytes.to_string())
    }
}

impl Drop for Draft {
    /// Removes what got no name; what cannot be removed now is removed when room is made.
    fn drop(&mut self) {
        let _ = removal::remove(&self.folder);
        let _ = fs::remove_file(lock_path(&self.folder));
    }
}

/// Says whether a draft's maker is alive; if it is not, its lock file goes.
pub(super) fn is_alive(
    folder: &Path,
    alone: impl FnOnce() -> io::Result<File>,
) -> io::Result<bool> {
    let _alone = alone()?;
    let path = lock_path(folder);
    let lock = match File::options().write(true).open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
        Ok(()) => fs::remove_file(&path).map(|()| false),
    }
}

fn lock_path(folder: &Path) -> PathBuf {
    folder.with_extension("lock")
}

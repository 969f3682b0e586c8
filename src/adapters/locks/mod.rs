//! Lock files: held for a process's life, whatever kills it.

use std::{
    fs::{File, TryLockError},
    io,
    path::PathBuf,
};

use crate::ports::{Held, Liveness};

/// One lock file per run, in one folder.
pub struct LockFolder {
    folder: PathBuf,
}

impl LockFolder {
    /// Uses a folder, which is made when the first run is held.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, run: &str) -> PathBuf {
        self.folder.join(format!("{run}.lock"))
    }
}

/// The open file is the lock.
struct Lock {
    _file: File,
}

impl Held for Lock {}

impl Liveness for LockFolder {
    fn hold(&self, run: &str) -> io::Result<Option<Box<dyn Held>>> {
        std::fs::create_dir_all(&self.folder)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path(run))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(Lock { _file: file }))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn is_held(&self, run: &str) -> bool {
        let Ok(file) = File::options().write(true).open(self.path(run)) else {
            return false;
        };
        matches!(file.try_lock(), Err(TryLockError::WouldBlock))
    }

    fn forget(&self, run: &str) {
        let _ = std::fs::remove_file(self.path(run));
    }
}

#[cfg(test)]
mod tests {
    use super::LockFolder;
    use crate::ports::Liveness;

    #[test]
    fn a_run_is_held_once_and_free_after() {
        let folder = tempfile::tempdir().unwrap();
        let locks = LockFolder::new(folder.path().join("locks"));
        assert!(!locks.is_held("c1"));
        let held = locks.hold("c1").unwrap().unwrap();
        assert!(locks.is_held("c1"));
        assert!(locks.hold("c1").unwrap().is_none());
        drop(held);
        assert!(!locks.is_held("c1"));
        locks.forget("c1");
        assert!(!folder.path().join("locks/c1.lock").exists());
    }
}

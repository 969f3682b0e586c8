//! A piece of the disk that is kept, so that the ends of runs can still be recorded when all the rest is full.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// Enough for the last words of many runs: each needs some pages of the write-ahead log.
const BYTES: u64 = 1 << 20;
/// It is only taken from a disk that has as many times more.
const PLENTY: u64 = 4;

/// A file that holds nothing but room.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    /// Keeps room beside a database, if there is plenty just now.
    pub fn beside(database: &Path) -> Reserve {
        let mut name = database.as_os_str().to_owned();
        name.push("-reserve");
        let reserve = Reserve { path: name.into() };
        if !reserve.path.exists()
            && let Err(error) = reserve.take()
        {
            tracing::debug!(%error, "no room is kept for a full disk");
        }
        reserve
    }

    /// Gives the room back; says whether there was any.
    pub fn give(&self) -> bool {
        std::fs::remove_file(&self.path).is_ok()
    }

    fn take(&self) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let disk = statvfs(folder)?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < PLENTY * BYTES {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        let file: File = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.path)?;
        let taken = fallocate(&file, FallocateFlags::empty(), 0, BYTES);
        if taken.is_err() {
            self.give();
        }
        Ok(taken?)
    }
}

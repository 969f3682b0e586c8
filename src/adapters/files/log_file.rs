//! The file of one log.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use bytes::Bytes;

use crate::ports::{FrameIndex, LogKey, StoreError};

/// A log's file and where its next frame goes.
#[derive(Debug)]
pub(super) struct LogFile {
    file: File,
    end: u64,
}

impl LogFile {
    /// Opens the file for writing after `end`; what a crash left beyond it is overwritten.
    pub(super) fn open(path: &Path, end: u64) -> io::Result<LogFile> {
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(false).mode(0o600);
        let file = match options.open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let folder = path.parent().unwrap_or(Path::new("."));
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(folder)?;
                options.open(path)?
            }
            opened => opened?,
        };
        Ok(LogFile { file, end })
    }

    /// Writes a frame's bytes and returns where they stand.
    pub(super) fn append(&mut self, data: &[u8]) -> io::Result<u64> {
        self.file.write_all_at(data, self.end)?;
        let offset = self.end;
        self.end += data.len() as u64;
        Ok(offset)
    }

    /// Waits until the bytes are on the disk; the entry of a new file comes along on the file systems of Linux.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Reads a frame's bytes.
pub(super) fn read(path: &Path, frame: &FrameIndex) -> io::Result<Bytes> {
    let mut data = vec![0; frame.length as usize];
    File::open(path)?.read_exact_at(&mut data, frame.offset)?;
    Ok(data.into())
}

/// The folder of a run's logs; an id that is no plain name has none.
pub(super) fn run_folder(folder: &Path, run: &str) -> Result<PathBuf, StoreError> {
    if run.is_empty() || run.starts_with('.') || run.contains(['/', '\0']) {
        return Err(StoreError::NoSuchRun(run.to_owned()));
    }
    Ok(folder.join(run))
}

/// The file of a log.
pub(super) fn path(folder: &Path, key: &LogKey) -> Result<PathBuf, StoreError> {
    let (generation, step, attempt) = (key.generation, key.step, key.attempt);
    let name = format!("g{generation}-s{step}-a{attempt}.log");
    Ok(run_folder(folder, &key.run)?.join(name))
}

/// Says what went wrong with a file.
pub(super) fn failed(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::DiskFull,
        _ => StoreError::Database(format!("{} cannot be used: {error}", path.display())),
    }
}

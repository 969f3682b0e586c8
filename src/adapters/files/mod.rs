//! Log frames in files, one file per log, found by an index that is kept elsewhere.

use std::{
    collections::HashMap,
    fs::{DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::{sync::watch, task::spawn_blocking};

use crate::ports::{Frame, FrameIndex, FrameIndexStore, FrameStore, LogKey, StoreError};

/// Keeps frames below one folder, a folder per run.
pub struct FileFrames {
    folder: PathBuf,
    index: Arc<dyn FrameIndexStore>,
    /// Where the next frame of each log that is being written goes.
    ends: Mutex<HashMap<LogKey, u64>>,
    changes: Mutex<HashMap<String, watch::Sender<u64>>>,
}

impl FileFrames {
    /// Keeps frames below a folder, which is made when there is something to keep.
    pub fn new(folder: PathBuf, index: Arc<dyn FrameIndexStore>) -> Self {
        Self {
            folder,
            index,
            ends: Mutex::default(),
            changes: Mutex::default(),
        }
    }

    fn path(&self, key: &LogKey) -> PathBuf {
        let name = format!("g{}-s{}-a{}.log", key.generation, key.step, key.attempt);
        self.folder.join(&key.run).join(name)
    }

    /// Where the next frame of a log goes. Bytes behind the last indexed frame are those of a write that was cut
    /// off; they are written over.
    async fn end(&self, key: &LogKey) -> Result<u64, StoreError> {
        if let Some(end) = lock(&self.ends).get(key) {
            return Ok(*end);
        }
        let last = self.index.last(key).await?;
        Ok(last.map_or(0, |it| it.offset + u64::from(it.length)))
    }

    fn changed(&self, run: &str) {
        if let Some(sender) = lock(&self.changes).get(run) {
            sender.send_modify(|count| *count += 1);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl FrameStore for FileFrames {
    async fn append(&self, frames: Vec<(LogKey, Frame)>) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(frames.len());
        for (key, frame) in frames {
            let offset = self.end(&key).await?;
            let row = row(&frame, offset);
            let path = self.path(&key);
            let data = frame.data;
            blocking(move || write(&path, offset, &data)).await?;
            lock(&self.ends).insert(key.clone(), offset + u64::from(row.length));
            rows.push((key, row));
        }
        self.index.insert(&rows).await?;
        for (key, _) in &rows {
            self.changed(&key.run);
        }
        Ok(())
    }

    async fn index(
        &self,
        key: &LogKey,
        first_line: u64,
        limit: u32,
    ) -> Result<Vec<FrameIndex>, StoreError> {
        self.index.range(key, first_line, limit).await
    }

    async fn read(&self, key: &LogKey, frame: &FrameIndex) -> Result<Bytes, StoreError> {
        let (path, offset, length) = (self.path(key), frame.offset, frame.length as usize);
        blocking(move || {
            let mut data = vec![0; length];
            File::open(path)?.read_exact_at(&mut data, offset)?;
            Ok(Bytes::from(data))
        })
        .await
    }

    async fn last(&self, key: &LogKey) -> Result<Option<FrameIndex>, StoreError> {
        self.index.last(key).await
    }

    async fn logs(&self, run: &str) -> Result<Vec<LogKey>, StoreError> {
        self.index.logs(run).await
    }

    async fn remove(&self, run: &str) -> Result<(), StoreError> {
        self.index.remove(run).await?;
        lock(&self.ends).retain(|key, _| key.run != run);
        let folder = self.folder.join(run);
        blocking(move || match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        })
        .await
    }

    fn changes(&self, run: &str) -> watch::Receiver<u64> {
        let mut changes = lock(&self.changes);
        let sender = changes
            .entry(run.to_owned())
            .or_insert_with(|| watch::Sender::new(0));
        sender.subscribe()
    }
}

fn row(frame: &Frame, offset: u64) -> FrameIndex {
    FrameIndex {
        first_line: frame.first_line,
        lines: frame.lines,
        raw_bytes: frame.raw_bytes,
        offset,
        length: frame.data.len() as u32,
        stdout: frame.stdout,
        stderr: frame.stderr,
    }
}

/// Writes bytes at their place; logs are for their owner only.
fn write(path: &Path, offset: u64, data: &[u8]) -> io::Result<()> {
    let open = || {
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)
    };
    let file = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(Path::new("."));
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
            open()?
        }
        opened => opened?,
    };
    file.write_all_at(data, offset)
}

/// Runs file work beside the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let done = spawn_blocking(work)
        .await
        .map_err(|error| StoreError::Database(error.to_string()))?;
    done.map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull,
        _ => StoreError::Database(format!("log file: {error}")),
    })
}

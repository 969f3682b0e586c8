//! A store of log frames in files.

use std::{
    collections::{BTreeMap, HashMap},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::{sync::watch, task::spawn_blocking};

use super::log_file::{self, LogFile, failed};
use crate::ports::{
    Frame, FrameIndex, FrameIndexStore, FrameStore, LogKey, LogSummary, StoreError,
};

/// How many files stay open for the next frame; a file that is closed too early is opened again.
const OPEN_FILES: usize = 64;

/// Log frames in `<folder>/<run>/g<generation>-s<step>-a<attempt>.log`, their index elsewhere.
pub struct FileFrames {
    folder: PathBuf,
    index: Arc<dyn FrameIndexStore>,
    open: Mutex<HashMap<LogKey, LogFile>>,
    changes: Mutex<HashMap<String, watch::Sender<u64>>>,
}

/// The files that a group of frames goes to.
type Files = BTreeMap<LogKey, LogFile>;

impl FileFrames {
    /// Opens the store; folders are made with the first frame.
    pub fn open(folder: &Path, index: Arc<dyn FrameIndexStore>) -> FileFrames {
        FileFrames {
            folder: folder.to_owned(),
            index,
            open: Mutex::default(),
            changes: Mutex::default(),
        }
    }

    /// Takes the files of these logs, open or opened now.
    async fn take_files(&self, frames: &[(LogKey, Frame)]) -> Result<Files, StoreError> {
        let mut files = Files::new();
        for (key, _) in frames {
            if files.contains_key(key) {
                continue;
            }
            let open = self.opened().remove(key);
            let file = match open {
                Some(file) => file,
                None => self.open_file(key).await?,
            };
            files.insert(key.clone(), file);
        }
        Ok(files)
    }

    async fn open_file(&self, key: &LogKey) -> Result<LogFile, StoreError> {
        let last = self.index.last_frame(key).await?;
        let end = last.map_or(0, |last| last.offset + u64::from(last.length));
        let path = log_file::path(&self.folder, key)?;
        LogFile::open(&path, end).map_err(|error| failed(&path, &error))
    }

    /// Keeps files open for the next frames. Only files whose frames are all in the index come here: of the others
    /// nobody knows the end.
    fn keep_files(&self, files: Files) {
        let mut open = self.opened();
        if open.len() + files.len() > OPEN_FILES {
            open.clear();
        }
        open.extend(files);
    }

    fn tell(&self, index: &[(LogKey, FrameIndex)]) {
        let watched = self.watched();
        for (key, _) in index {
            if let Some(changes) = watched.get(&key.run) {
                changes.send_modify(|count| *count += 1);
            }
        }
    }

    fn opened(&self) -> MutexGuard<'_, HashMap<LogKey, LogFile>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<u64>>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the bytes of all frames and waits until they are on the disk.
fn write(
    files: &mut Files,
    frames: Vec<(LogKey, Frame)>,
) -> std::io::Result<Vec<(LogKey, FrameIndex)>> {
    let mut index = Vec::with_capacity(frames.len());
    for (key, frame) in frames {
        let file = files
            .get_mut(&key)
            .expect("the file of every key was taken");
        let offset = file.append(&frame.data)?;
        index.push((key, row(&frame, offset)));
    }
    files.values().try_for_each(LogFile::sync)?;
    Ok(index)
}

fn row(frame: &Frame, offset: u64) -> FrameIndex {
    FrameIndex {
        first_line: frame.first_line,
        lines: frame.lines,
        first_at_nanos: frame.first_at_nanos,
        raw_bytes: frame.raw_bytes,
        offset,
        length: u32::try_from(frame.data.len()).expect("a frame is about a megabyte at most"),
        stdout: frame.stdout,
        stderr: frame.stderr,
    }
}

async fn blocking<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce(&Path) -> std::io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    spawn_blocking(move || work(&path).map_err(|error| failed(&path, &error)))
        .await
        .unwrap_or_else(|error| Err(StoreError::Database(error.to_string())))
}

#[async_trait]
impl FrameStore for FileFrames {
    async fn append(&self, frames: Vec<(LogKey, Frame)>) -> Result<(), StoreError> {
        let mut files = self.take_files(&frames).await?;
        let (files, index) = blocking(self.folder.clone(), move |_| {
            let index = write(&mut files, frames)?;
            Ok((files, index))
        })
        .await?;
        self.index.insert_frames(&index).await?;
        self.keep_files(files);
        self.tell(&index);
        Ok(())
    }

    async fn index(
        &self,
        key: &LogKey,
        first_line: u64,
        limit: u32,
    ) -> Result<Vec<FrameIndex>, StoreError> {
        self.index.frames(key, first_line, limit).await
    }

    async fn read(&self, key: &LogKey, frame: &FrameIndex) -> Result<Bytes, StoreError> {
        let frame = frame.clone();
        let path = log_file::path(&self.folder, key)?;
        blocking(path, move |path| log_file::read(path, &frame)).await
    }

    async fn last(&self, key: &LogKey) -> Result<Option<FrameIndex>, StoreError> {
        self.index.last_frame(key).await
    }

    async fn logs(&self, run: &str) -> Result<Vec<LogSummary>, StoreError> {
        self.index.run_logs(run).await
    }

    async fn remove(&self, run: &str) -> Result<(), StoreError> {
        self.opened().retain(|key, _| key.run != run);
        self.watched().remove(run);
        let folder = log_file::run_folder(&self.folder, run)?;
        self.index.remove_frames(run).await?;
        blocking(folder, |folder| match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }

    fn changes(&self, run: &str) -> watch::Receiver<u64> {
        let mut watched = self.watched();
        watched.entry(run.to_owned()).or_default().subscribe()
    }
}

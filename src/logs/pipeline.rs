//! Compresses full frames and stores them, those of many logs in one go.

use std::{
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use zstd::{bulk::Compressor, zstd_safe::CParameter};

use super::packer::RawFrame;
use crate::ports::{Frame, FrameStore, LogKey, StoreError};

/// Full frames that may wait for a processor, a megabyte each; then the writers wait.
const WAITING_FRAMES: usize = 4;
/// The most frames stored in one transaction.
const GROUP: usize = 16;
/// The most frames compressed at once.
const MOST_THREADS: usize = 4;
const ZSTD_LEVEL: i32 = 1;

/// Takes the frames of all logs that this process writes.
#[derive(Clone)]
pub struct Logs {
    store: Arc<dyn FrameStore>,
    queue: mpsc::Sender<Job>,
}

/// How far the storing of one log has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// How many frames are stored.
    pub(super) frames: u64,
    /// Why no more will be.
    pub(super) failed: Option<StoreError>,
}

/// A frame on its way to the store.
pub(super) struct Job {
    pub(super) key: LogKey,
    pub(super) frame: RawFrame,
    pub(super) progress: Arc<watch::Sender<Progress>>,
}

struct Packed {
    key: LogKey,
    frame: Frame,
    progress: Arc<watch::Sender<Progress>>,
}

impl Logs {
    /// Starts storing frames in `store`, until the last clone of this and the last writer are gone.
    pub fn new(store: Arc<dyn FrameStore>) -> Logs {
        let (queue, jobs) = mpsc::channel(WAITING_FRAMES);
        tokio::spawn(run(jobs, store.clone()));
        Logs { store, queue }
    }

    /// The store of the frames, for readers.
    pub fn store(&self) -> &Arc<dyn FrameStore> {
        &self.store
    }

    pub(super) fn queue(&self) -> mpsc::Sender<Job> {
        self.queue.clone()
    }
}

async fn run(jobs: mpsc::Receiver<Job>, store: Arc<dyn FrameStore>) {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let compressors = Arc::new(Mutex::new(Vec::new()));
    let mut groups = ReceiverStream::new(jobs)
        .map(|job| {
            let compressors = compressors.clone();
            tokio::task::spawn_blocking(move || pack(job, &compressors))
        })
        .buffered(threads.min(MOST_THREADS))
        // A frame is lost only with the thread that should have packed it: when the process ends.
        .filter_map(async |packed| packed.ok())
        .boxed()
        .ready_chunks(GROUP);
    while let Some(group) = groups.next().await {
        store_group(&*store, group).await;
    }
}

/// Compressors cost a megabyte each and are used again.
type Compressors = Mutex<Vec<Compressor<'static>>>;

fn pack(job: Job, compressors: &Compressors) -> Packed {
    let raw = &job.frame;
    let data = compress(&raw.bytes, compressors);
    let frame = Frame {
        first_line: raw.first_line,
        lines: raw.lines,
        first_at_nanos: raw.first_at_nanos,
        raw_bytes: u32::try_from(raw.bytes.len()).expect("a frame is about a megabyte at most"),
        data: Bytes::from(data),
        stdout: raw.stdout,
        stderr: raw.stderr,
    };
    Packed {
        key: job.key,
        frame,
        progress: job.progress,
    }
}

fn compress(bytes: &[u8], compressors: &Compressors) -> Vec<u8> {
    let free = || compressors.lock().unwrap_or_else(PoisonError::into_inner);
    let reused = free().pop();
    let mut compressor = reused.unwrap_or_else(|| {
        let mut new = Compressor::new(ZSTD_LEVEL).expect("zstd fails only without memory");
        new.set_parameter(CParameter::ChecksumFlag(true))
            .expect("zstd knows its own parameter");
        new
    });
    let data = compressor
        .compress(bytes)
        .expect("zstd compresses anything into a buffer of the size it asks for");
    free().push(compressor);
    data
}

async fn store_group(store: &dyn FrameStore, mut group: Vec<Packed>) {
    // A log has no gaps: after a frame that could not be stored, no more are.
    group.retain(|packed| packed.progress.borrow().failed.is_none());
    let frames = group.iter().map(|p| (p.key.clone(), p.frame.clone()));
    let stored = store.append(frames.collect()).await;
    if stored.is_ok() || group.len() == 1 {
        group.iter().for_each(|packed| report(packed, &stored));
        return;
    }
    for packed in group {
        // One log must not fail for another's sake.
        Box::pin(store_group(store, vec![packed])).await;
    }
}

fn report(packed: &Packed, stored: &Result<(), StoreError>) {
    packed.progress.send_modify(|progress| match stored {
        Ok(()) => progress.frames += 1,
        Err(error) => progress.failed = Some(error.clone()),
    });
}

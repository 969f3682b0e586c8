//! Between blocking readers and writers and streams of bytes, through bounded channels.

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::JoinHandle,
};

use crate::ports::TarStream;

const CHUNK_BYTES: usize = 128 * 1024;
const CHUNKS_AHEAD: usize = 4;

/// Streams what a blocking function writes on a thread of its own. When the stream is dropped, its next write fails.
pub fn stream_of(
    work: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
) -> TarStream {
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    let worker = tokio::task::spawn_blocking(move || {
        let mut writer = ChunkWriter {
            sender,
            chunk: BytesMut::with_capacity(CHUNK_BYTES),
        };
        if let Err(error) = work(&mut writer).and_then(|()| writer.flush()) {
            // If nobody listens, nobody needs to know.
            let _ = writer.sender.blocking_send(Err(error));
        }
    });
    stream::unfold((receiver, Some(worker)), next_chunk).boxed()
}

type Running = (Receiver<io::Result<Bytes>>, Option<JoinHandle<()>>);

async fn next_chunk((mut receiver, worker): Running) -> Option<(io::Result<Bytes>, Running)> {
    if let Some(chunk) = receiver.recv().await {
        return Some((chunk, (receiver, worker)));
    }
    // An archive that merely stops would pass for a whole one, so a thread that died must be told of.
    let error = worker?.await.err()?;
    Some((Err(io::Error::other(error)), (receiver, None)))
}

/// A writer into a channel.
struct ChunkWriter {
    sender: Sender<io::Result<Bytes>>,
    chunk: BytesMut,
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(CHUNK_BYTES - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..count]);
        if self.chunk.len() == CHUNK_BYTES {
            self.flush()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let next = BytesMut::with_capacity(CHUNK_BYTES);
        let chunk = std::mem::replace(&mut self.chunk, next).freeze();
        self.sender
            .blocking_send(Ok(chunk))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// A blocking reader of a stream that `pump` feeds.
pub struct ChunkReader {
    receiver: Receiver<io::Result<Bytes>>,
    chunk: Bytes,
}

/// Makes a reader, and the way to feed it.
pub fn reader() -> (Sender<io::Result<Bytes>>, ChunkReader) {
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    let chunk = Bytes::new();
    (sender, ChunkReader { receiver, chunk })
}

/// Feeds a reader until the stream ends or the reader is gone.
pub async fn pump(mut stream: TarStream, sender: Sender<io::Result<Bytes>>) {
    while let Some(chunk) = stream.next().await {
        if sender.send(chunk).await.is_err() {
            return;
        }
    }
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.receiver.blocking_recv() {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

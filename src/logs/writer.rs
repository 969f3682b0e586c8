//! Writes one log: joins, masks, numbers, packs, and stores beside the one who writes.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::JoinHandle, time::Instant};

use super::{
    Masker, codec,
    joiner::Joiner,
    packer::{Gathered, Packer},
};
use crate::ports::{
    Cursor, Frame, FrameIndex, FrameStore, LogKey, Output, Since, StoreError, Stream,
};

/// How long a line may wait before it is stored.
const FLUSH_AFTER: Duration = Duration::from_millis(200);
/// Frames that may wait to be stored before the writer waits, too.
const WAITING_FRAMES: usize = 2;

/// Shown each line as it is kept.
pub type Tap = Box<dyn Fn(Stream, &[u8]) + Send + Sync>;

/// Writes one log. Storing happens in a task of its own; its trouble shows at the next call.
pub struct LogWriter {
    masker: Arc<Masker>,
    tap: Option<Tap>,
    joiners: [Joiner; 2],
    packer: Packer,
    /// What of each stream is stored already; lines up to there are dropped.
    stored: [Skip; 2],
    flush_at: Option<Instant>,
    send: mpsc::Sender<Gathered>,
    storing: JoinHandle<Result<(), StoreError>>,
}

/// Drops what an earlier writer has stored of a stream.
struct Skip {
    /// Where that writer had come to.
    upto: Cursor,
    /// Lines seen that bear its last stamp.
    seen: u32,
    /// The last stamp seen.
    last: i64,
}

impl Skip {
    fn new(upto: Cursor) -> Self {
        Self {
            upto,
            seen: 0,
            last: upto.at_nanos,
        }
    }

    /// Looks at a line's stamp and says whether the line is stored already.
    fn drops(&mut self, at_nanos: i64) -> bool {
        self.last = at_nanos;
        if at_nanos == self.upto.at_nanos && self.seen < self.upto.lines {
            self.seen += 1;
            return true;
        }
        at_nanos < self.upto.at_nanos
    }
}

impl LogWriter {
    /// Opens a log; behind the lines of an earlier writer it goes on where that one was cut off.
    pub async fn open(
        store: Arc<dyn FrameStore>,
        key: LogKey,
        masker: Arc<Masker>,
        may_exist: bool,
    ) -> Result<Self, StoreError> {
        let last = if may_exist {
            store.last(&key).await?
        } else {
            None
        };
        let (send, receive) = mpsc::channel(WAITING_FRAMES);
        let storing = tokio::spawn(store_frames(store, key, receive));
        let upto = |cursor: fn(&FrameIndex) -> Cursor| {
            Skip::new(last.as_ref().map(cursor).unwrap_or_default())
        };
        Ok(Self {
            masker,
            tap: None,
            joiners: Default::default(),
            packer: Packer::new(last.as_ref()),
            stored: [upto(|it| it.stdout), upto(|it| it.stderr)],
            flush_at: None,
            send,
            storing,
        })
    }

    /// Shows each line to a watcher, too.
    pub fn with_tap(mut self, tap: Tap) -> Self {
        self.tap = Some(tap);
        self
    }

    /// The moment from which the engine must be asked so that nothing is missed.
    pub fn since(&self) -> Since {
        let at = |it: &Skip| it.upto.at_nanos;
        Since {
            at_nanos: at(&self.stored[0]).min(at(&self.stored[1])),
        }
    }

    /// When `flush` should be called; `None` when nothing waits.
    pub fn flush_at(&self) -> Option<Instant> {
        self.flush_at
    }

    /// Takes a piece of output.
    pub async fn write(&mut self, piece: Output) -> Result<(), StoreError> {
        let stream = usize::from(piece.stream == Stream::Stderr);
        let (masker, tap, packer) = (&self.masker, &self.tap, &mut self.packer);
        let skip = &mut self.stored[stream];
        self.joiners[stream].take(&piece.bytes, |text, ended| {
            if !skip.drops(piece.at_nanos) {
                let text = masker.mask(text);
                show(tap, piece.stream, &text);
                packer.push(piece.at_nanos, piece.stream, &text, ended);
            }
        });
        self.flush_at
            .get_or_insert_with(|| Instant::now() + FLUSH_AFTER);
        if self.packer.is_full() {
            self.flush().await?;
        }
        Ok(())
    }

    /// Hands on what was gathered.
    pub async fn flush(&mut self) -> Result<(), StoreError> {
        self.flush_at = None;
        let Some(frame) = self.packer.take() else {
            return Ok(());
        };
        if self.send.send(frame).await.is_err() {
            return Err(StoreError::Database(
                "the log is not stored any more".to_owned(),
            ));
        }
        Ok(())
    }

    /// Keeps what was begun, and waits until everything is stored.
    pub async fn finish(mut self) -> Result<(), StoreError> {
        for (index, stream) in [Stream::Stdout, Stream::Stderr].into_iter().enumerate() {
            let at_nanos = self.stored[index].last;
            let (masker, tap, packer) = (&self.masker, &self.tap, &mut self.packer);
            self.joiners[index].finish(|text, is_ended| {
                let text = masker.mask(text);
                show(tap, stream, &text);
                packer.push(at_nanos, stream, &text, is_ended);
            });
        }
        let flushed = self.flush().await;
        drop(self.send);
        match self.storing.await {
            Ok(stored) => stored.and(flushed),
            Err(error) => Err(StoreError::Database(format!(
                "the log was not stored: {error}"
            ))),
        }
    }
}

fn show(tap: &Option<Tap>, stream: Stream, text: &[u8]) {
    if let Some(tap) = tap {
        tap(stream, text);
    }
}

async fn store_frames(
    store: Arc<dyn FrameStore>,
    key: LogKey,
    mut receive: mpsc::Receiver<Gathered>,
) -> Result<(), StoreError> {
    while let Some(gathered) = receive.recv().await {
        let frame = tokio::task::spawn_blocking(move || pack(&gathered))
            .await
            .map_err(|error| StoreError::Database(error.to_string()))??;
        store.append(vec![(key.clone(), frame)]).await?;
    }
    Ok(())
}

fn pack(gathered: &Gathered) -> Result<Frame, StoreError> {
    Ok(Frame {
        first_line: gathered.first_line,
        lines: gathered.lines,
        raw_bytes: gathered.raw.len() as u32,
        data: codec::compress(&gathered.raw)?,
        stdout: gathered.stdout,
        stderr: gathered.stderr,
    })
}

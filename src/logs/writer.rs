//! Writes one log.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, timeout_at},
};

use super::{
    LogError, Logs, Masker, Matcher, Tap,
    packer::Packer,
    pipeline::{Job, Progress},
};
use crate::ports::{EngineError, FrameIndex, LogKey, Output, OutputStream, Since, StoreError};

/// How long a line may wait for company before it is stored.
const FLUSH_AFTER: Duration = Duration::from_millis(200);

/// Writes the log of one attempt of a step.
pub struct LogWriter {
    key: LogKey,
    packer: Packer,
    queue: mpsc::Sender<Job>,
    /// Frames handed to the queue.
    sent: u64,
    progress: Arc<watch::Sender<Progress>>,
    /// When the lines in the open frame must go.
    flush_at: Option<Instant>,
}

/// What a finished log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// How many lines it has.
    pub lines: u64,
    /// Whether any of the matcher's texts occurred.
    pub matched: bool,
}

/// Why the copying of an output stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// The engine stopped sending; ask it again from [`LogWriter::since`] on.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The log cannot be stored.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Logs {
    /// Opens a log at its end, which is its beginning if nothing was stored.
    pub async fn writer(&self, key: LogKey, masker: Arc<Masker>) -> Result<LogWriter, LogError> {
        let last = self.store().last(&key).await?;
        Ok(self.after(last.as_ref(), key, masker))
    }

    /// Opens a log of which nothing can be stored, without looking.
    pub fn begin(&self, key: LogKey, masker: Arc<Masker>) -> LogWriter {
        self.after(None, key, masker)
    }

    fn after(&self, last: Option<&FrameIndex>, key: LogKey, masker: Arc<Masker>) -> LogWriter {
        LogWriter {
            key,
            packer: Packer::new(last, masker),
            queue: self.queue(),
            sent: 0,
            progress: Arc::default(),
            flush_at: None,
        }
    }
}

impl LogWriter {
    /// Tells this function every line from now on.
    pub fn with_tap(mut self, tap: Tap) -> LogWriter {
        self.packer.set_tap(tap);
        self
    }

    /// Looks for these texts in everything that comes, masked or not.
    pub fn with_matcher(mut self, matcher: Matcher) -> LogWriter {
        self.packer.matcher = matcher;
        self
    }

    /// Takes up the streams of a container again, after a crash or when its connection broke: what comes next must
    /// begin at this stamp or before it, and what the log has of it is dropped. Not for a build or a push, which say
    /// other things when they are issued again.
    pub fn since(&mut self) -> Since {
        let at_nanos = self.packer.rewind();
        Since { at_nanos }
    }

    /// Copies an output to its end. Dropping the call in between loses nothing that was taken from the stream.
    pub async fn copy(&mut self, mut output: OutputStream) -> Result<(), CopyError> {
        loop {
            let next = match self.flush_at {
                Some(at) => timeout_at(at, output.next()).await,
                None => Ok(output.next().await),
            };
            match next {
                Err(_) => self.flush().await?,
                Ok(Some(piece)) => self.write(&piece?).await?,
                Ok(None) => return Ok(()),
            }
        }
    }

    /// Takes a piece of output; waits only when the store is slower than the output.
    pub async fn write(&mut self, output: &Output) -> Result<(), LogError> {
        self.packer.feed(output);
        if !self.packer.is_open() {
            self.flush_at = None;
        } else if self.flush_at.is_none() {
            self.flush_at = Some(Instant::now() + FLUSH_AFTER);
        }
        match self.flush_at {
            Some(at) if at <= Instant::now() => self.flush().await,
            _ => self.send_full().await,
        }
    }

    /// Sends what lines there are on their way, without waiting for company.
    pub async fn flush(&mut self) -> Result<(), LogError> {
        self.flush_at = None;
        self.packer.close_frame();
        self.send_full().await
    }

    /// Says whether any of the matcher's texts occurred so far.
    pub fn matched(&self) -> bool {
        self.packer.matcher.found()
    }

    /// Waits until every line that was flushed is stored.
    pub async fn stored(&self) -> Result<(), LogError> {
        let mut progress = self.progress.subscribe();
        let stored = progress
            .wait_for(|progress| progress.failed.is_some() || progress.frames == self.sent)
            .await;
        match stored.ok().and_then(|progress| progress.failed.clone()) {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// Ends the log; when this returns, every reader sees all of it.
    pub async fn finish(mut self) -> Result<Written, LogError> {
        self.packer.end();
        self.flush().await?;
        self.stored().await?;
        Ok(Written {
            lines: self.packer.lines(),
            matched: self.matched(),
        })
    }

    async fn send_full(&mut self) -> Result<(), LogError> {
        while self.packer.has_full() {
            let place = self.queue.reserve().await.map_err(|_| stopped())?;
            let Some(frame) = self.packer.pop_full() else {
                break;
            };
            place.send(Job {
                key: self.key.clone(),
                frame,
                progress: self.progress.clone(),
            });
            self.sent += 1;
            self.flush_at = None;
        }
        match &self.progress.borrow().failed {
            Some(error) => Err(error.clone().into()),
            None => Ok(()),
        }
    }
}

fn stopped() -> LogError {
    StoreError::Database("nothing stores logs any more".to_owned()).into()
}

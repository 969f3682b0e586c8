//! Where an attempt's output goes: the log, the live view, and the search for `retryOnErrors`.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::StreamExt;

use super::{LogLine, dispatch::Env};
use crate::{
    logs::{LogWriter, Matcher},
    ports::{LogKey, Output, OutputStream, Progress, Sink, StoreError},
};

/// Outputs that may wait between a build and its log before the build is held up.
const WAITING_OUTPUTS: usize = 256;

/// The log of one attempt, being written.
pub(super) struct AttemptLog {
    writer: LogWriter,
    matcher: Matcher,
}

impl AttemptLog {
    /// Opens the log of an attempt; goes on where an earlier writer was cut off.
    pub async fn open(env: &Arc<Env>, step: u32, attempt: u32) -> Result<Self, StoreError> {
        let key = LogKey {
            run: env.job.run.id.clone(),
            generation: env.job.run.generation,
            step,
            attempt,
        };
        let watcher = env.watcher.clone();
        let tap = move |stream, text: &[u8]| {
            watcher.line(LogLine {
                step,
                stream,
                text: bytes::Bytes::copy_from_slice(text),
            });
        };
        let frames = env.ports.frames.clone();
        let writer = LogWriter::open(frames, key, env.masker.clone(), env.is_resumed)
            .await?
            .with_tap(Box::new(tap));
        let matcher = Matcher::new(&env.job.plan.step(step).retry_on_errors);
        Ok(Self { writer, matcher })
    }

    /// The moment from which the engine should be asked again.
    pub fn since(&self) -> crate::ports::Since {
        self.writer.since()
    }

    /// Writes everything that a container says, to its end.
    pub async fn follow(self, output: OutputStream) -> Result<Heard, StoreError> {
        let pieces = output.map_while(|piece| {
            // The exit tells the story; what was read so far is kept.
            let noted = piece.inspect_err(|error| tracing::debug!(%error, "output ended early"));
            noted.ok()
        });
        self.pump(pieces).await
    }

    /// Writes all pieces; what waits is stored when its time has come, whether more comes or not.
    async fn pump(
        mut self,
        pieces: impl futures_util::Stream<Item = Output>,
    ) -> Result<Heard, StoreError> {
        let mut pieces = std::pin::pin!(pieces);
        loop {
            let next = match self.writer.flush_at() {
                Some(at) => tokio::time::timeout_at(at, pieces.next()).await,
                None => Ok(pieces.next().await),
            };
            match next {
                Ok(Some(piece)) => self.write(piece).await?,
                Ok(None) => return self.finish().await,
                Err(_) => self.writer.flush().await?,
            }
        }
    }

    async fn write(&mut self, piece: Output) -> Result<(), StoreError> {
        self.matcher.look(&piece);
        self.writer.write(piece).await
    }

    async fn finish(self) -> Result<Heard, StoreError> {
        self.writer.finish().await?;
        Ok(Heard {
            matched: self.matcher.is_matched(),
        })
    }

    /// Starts writing what a sink is given; the log ends when the sink is dropped.
    pub fn into_sink(
        self,
        env: &Arc<Env>,
        step: u32,
    ) -> (LogSink, tokio::task::JoinHandle<Result<Heard, StoreError>>) {
        let (send, receive) = mpsc::channel::<Output>(WAITING_OUTPUTS);
        let task = tokio::spawn(self.pump(tokio_stream::wrappers::ReceiverStream::new(receive)));
        let sink = LogSink {
            env: env.clone(),
            step,
            send,
        };
        (sink, task)
    }
}

/// What was heard in an attempt's output.
pub(super) struct Heard {
    /// Whether it held one of the step's `retryOnErrors`; true when the step names none.
    pub matched: bool,
}

/// Sends what a build, pull or push says to its log.
pub(super) struct LogSink {
    env: Arc<Env>,
    step: u32,
    send: mpsc::Sender<Output>,
}

impl LogSink {
    /// Writes a line of careen's own into the log.
    pub fn say(&self, text: &str) {
        let at_nanos = self
            .env
            .ports
            .clock
            .now()
            .timestamp_nanos_opt()
            .unwrap_or_default();
        self.output(Output {
            stream: crate::ports::Stream::Stdout,
            at_nanos,
            bytes: format!("{text}\n").into(),
        });
    }
}

impl Sink for LogSink {
    fn output(&self, output: Output) {
        // A full channel means that the store cannot keep up: the line is worth a wait, but not a dead lock.
        if let Err(mpsc::error::TrySendError::Full(output)) = self.send.try_send(output) {
            let send = self.send.clone();
            tokio::spawn(async move { send.send(output).await });
        }
    }

    fn progress(&self, progress: Progress) {
        self.env.watcher.progress(self.step, progress);
    }
}

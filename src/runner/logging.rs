//! Where an attempt's output goes: the log, the live view, and the search for `retryOnErrors`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::StreamExt;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_stream::wrappers::ReceiverStream;

use super::{LogLine, dispatch::Env};
use crate::{
    logs::{CopyError, LogError, LogWriter, Matcher, Written},
    ports::{BuildPart, LogKey, Output, OutputStream, Progress, Since, Sink, Stream},
};

/// Outputs that may wait between a build and its log before the build is held up.
const WAITING_OUTPUTS: usize = 256;

/// Opens the log of an attempt, at its end where an earlier process has begun it.
pub(super) async fn open(env: &Arc<Env>, step: u32, attempt: u32) -> Result<LogWriter, LogError> {
    let key = LogKey {
        run: env.job.run.id.clone(),
        generation: env.job.run.generation,
        step,
        attempt,
    };
    let watcher = env.watcher.clone();
    let wanted = &env.job.plan.step(step).retry_on_errors;
    let writer = if env.is_resumed {
        env.logs.writer(key, env.masker.clone()).await?
    } else {
        env.logs.begin(key, env.masker.clone())
    };
    Ok(writer
        .with_tap(Box::new(move |line| {
            watcher.line(LogLine {
                step,
                stream: line.stream,
                text: bytes::Bytes::copy_from_slice(line.text),
            });
        }))
        .with_matcher(Matcher::new(wanted.iter().map(String::as_str))))
}

/// Writes everything that a container says, to its end, from where the log was cut off.
pub(super) async fn follow(
    mut log: LogWriter,
    output: impl FnOnce(Since) -> OutputStream,
) -> Result<Written, LogError> {
    let since = log.since();
    match log.copy(output(since)).await {
        Ok(()) => {}
        // The exit tells the story; what was read so far is kept.
        Err(CopyError::Engine(error)) => tracing::debug!(%error, "output ended early"),
        Err(CopyError::Log(error)) => return Err(error),
    }
    log.finish().await
}

/// Writes what a sink is given; the log ends when the sink is dropped.
pub(super) fn sink(
    env: &Arc<Env>,
    step: u32,
    mut log: LogWriter,
) -> (LogSink, JoinHandle<Result<Written, LogError>>) {
    let (send, receive) = mpsc::channel::<Output>(WAITING_OUTPUTS);
    let pieces = ReceiverStream::new(receive).map(Ok).boxed();
    let task = tokio::spawn(async move {
        match log.copy(pieces).await {
            Ok(()) | Err(CopyError::Engine(_)) => log.finish().await,
            Err(CopyError::Log(error)) => Err(error),
        }
    });
    let sink = LogSink {
        env: env.clone(),
        step,
        send,
        parts: Mutex::default(),
    };
    (sink, task)
}

/// Sends what a build, pull or push says to its log.
pub(super) struct LogSink {
    env: Arc<Env>,
    step: u32,
    send: mpsc::Sender<Output>,
    parts: Mutex<BTreeMap<usize, BuildPart>>,
}

impl LogSink {
    /// Gives the parts of the build as they stand, in the order of their starts.
    pub fn parts(&self) -> Vec<BuildPart> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.values().cloned().collect()
    }

    /// Writes a line of careen's own into the log.
    pub fn say(&self, text: &str) {
        let now = self.env.ports.clock.now();
        self.output(Output {
            stream: Stream::Stdout,
            at_nanos: now.timestamp_nanos_opt().unwrap_or_default(),
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

    fn part(&self, part: &BuildPart) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.insert(part.number, part.clone());
    }
}

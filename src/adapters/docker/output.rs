//! What a container wrote, byte by byte as it wrote it.
//!
//! Logs are followed with the engine's time stamps: attaching instead would lose what was written before. Engines end
//! a followed log with the container, now and then before its last lines, so the end is read once more.

use std::sync::{Arc, Mutex, MutexGuard};

use bollard::{
    container::LogOutput,
    query_parameters::{LogsOptions, LogsOptionsBuilder},
};
use futures_util::{StreamExt, stream};

use crate::ports::{EngineError, Output, OutputStream, Since, Stream};

use super::{
    DockerEngine,
    delivered::{Delivered, NANOS_PER_SECOND},
    log_parts::parts,
    waiting,
};

/// What is known of a log that is being read.
type Shared = Arc<Mutex<Progress>>;

#[derive(Default)]
struct Progress {
    delivered: Delivered,
    failed: bool,
}

/// Follows what a started container writes, to its end.
pub(super) fn follow(engine: DockerEngine, id: String, since: Since) -> OutputStream {
    let begin = since.at_nanos / NANOS_PER_SECOND;
    let progress = Shared::default();
    let noted = progress.clone();
    let followed = read(engine.clone(), id.clone(), options(begin, true)).inspect(move |piece| {
        let mut progress = lock(&noted);
        match piece {
            Ok(output) => progress.delivered.note(output),
            Err(_) => progress.failed = true,
        }
    });
    let rest = stream::once(rest(engine, id, begin, progress)).flatten();
    followed.chain(rest).boxed()
}

/// What following left out, known once the container has ended.
async fn rest(engine: DockerEngine, id: String, begin: i64, progress: Shared) -> OutputStream {
    let progress = std::mem::take(&mut *lock(&progress));
    if progress.failed {
        return stream::empty().boxed();
    }
    if let Err(error) = waiting::wait_until_ended(&engine, &id).await {
        return match error {
            // It was removed in the meantime, and its log with it.
            EngineError::NotFound(_) => stream::empty().boxed(),
            error => stream::iter([Err(error)]).boxed(),
        };
    }
    let mut delivered = progress.delivered;
    let again = delivered.resume_second().max(begin);
    let pieces = read(engine, id, options(again, false));
    let unread = pieces.filter_map(move |piece| {
        let unread = match piece {
            Ok(output) => delivered.unread(output).map(Ok),
            Err(EngineError::NotFound(_)) => None,
            Err(error) => Some(Err(error)),
        };
        std::future::ready(unread)
    });
    unread.boxed()
}

fn lock(progress: &Shared) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(|poison| poison.into_inner())
}

fn options(second: i64, follow: bool) -> LogsOptions {
    LogsOptionsBuilder::default()
        .follow(follow)
        .stdout(true)
        .stderr(true)
        .timestamps(true)
        .since(i32::try_from(second).unwrap_or(0))
        .build()
}

fn read(engine: DockerEngine, id: String, options: LogsOptions) -> OutputStream {
    let opened = async move {
        let docker = match engine.patient().await {
            Ok(docker) => docker,
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let frames = docker.logs(&id, Some(options));
        let pieces = frames.flat_map(move |frame| stream::iter(pieces(&engine, frame)));
        pieces.boxed()
    };
    stream::once(opened).flatten().boxed()
}

fn pieces(
    engine: &DockerEngine,
    frame: Result<LogOutput, bollard::errors::Error>,
) -> Vec<Result<Output, EngineError>> {
    let (stream, message) = match frame {
        Ok(LogOutput::StdErr { message }) => (Stream::Stderr, message),
        Ok(LogOutput::StdOut { message } | LogOutput::Console { message }) => {
            (Stream::Stdout, message)
        }
        Ok(LogOutput::StdIn { .. }) => return Vec::new(),
        Err(error) => return vec![Err(engine.error(error))],
    };
    parts(stream, message).into_iter().map(Ok).collect()
}

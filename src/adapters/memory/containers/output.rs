//! What containers of the engine in memory write.

use std::{fmt::Write as _, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use crate::ports::{EngineError, Output, OutputStream, Since, Stream};

use super::{Call, MemoryEngine, container::Container, faults::Breaks};

/// Long lines come in parts of this size, as from a real engine.
const PART_BYTES: usize = 16 * 1024;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// The size of the pieces and lines of bulk output.
const BULK_PIECE_BYTES: u64 = 32 * 1024;
const BULK_LINE_BYTES: u64 = 64;
const PIECE_CAPACITY: usize = 32 * 1024;

/// Follows what a container writes: all of it at its start, then nothing until its end.
pub(super) fn follow(engine: MemoryEngine, id: String, since: Since) -> OutputStream {
    let breaks = engine.inner.faults.breaks();
    let opened = async move {
        let container = match open(&engine, &id).await {
            Ok(container) => container,
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let begin = since.at_nanos / NANOS_PER_SECOND * NANOS_PER_SECOND;
        let written = written(&container).filter(move |piece| piece.at_nanos >= begin);
        let end = stream::once(end(breaks, container)).filter_map(std::future::ready);
        stream::iter(written.map(Ok)).chain(end.map(Err)).boxed()
    };
    stream::once(opened).flatten().boxed()
}

async fn open(engine: &MemoryEngine, id: &str) -> Result<Arc<Container>, EngineError> {
    engine.inner.faults.enter(Call::Output).await?;
    engine.state().find(id)
}

async fn end(mut breaks: Breaks, container: Arc<Container>) -> Option<EngineError> {
    tokio::select! {
        biased;
        broken = breaks.broken() => Some(broken),
        _ = container.wait() => None,
    }
}

fn written(container: &Container) -> Box<dyn Iterator<Item = Output> + Send> {
    let Some(start) = container.started_at() else {
        return Box::new(std::iter::empty());
    };
    let start = start.timestamp_nanos_opt().unwrap_or(0);
    let behaviour = &container.behaviour;
    let out = lines(&behaviour.output).map(|bytes| (Stream::Stdout, bytes));
    let err = lines(&behaviour.error_output).map(|bytes| (Stream::Stderr, bytes));
    let small: Vec<_> = out.chain(err).collect();
    let bulk = bulk(behaviour.output_megabytes).map(|bytes| (Stream::Stdout, bytes));
    let pieces = small.into_iter().chain(bulk).zip(start..);
    Box::new(pieces.map(|((stream, bytes), at_nanos)| Output {
        stream,
        at_nanos,
        bytes,
    }))
}

fn lines(text: &str) -> impl Iterator<Item = Bytes> {
    let lines = text.split_inclusive('\n').map(str::as_bytes);
    lines.flat_map(|line| {
        let (body, end) = line.split_at(line.len() - usize::from(line.ends_with(b"\n")));
        let mut parts: Vec<Vec<u8>> = body.chunks(PART_BYTES).map(<[u8]>::to_vec).collect();
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        if let Some(last) = parts.last_mut() {
            last.extend_from_slice(end);
        }
        parts.into_iter().map(Bytes::from)
    })
}

/// Numbered lines of equal length, made as they are read.
fn bulk(megabytes: u64) -> impl Iterator<Item = Bytes> {
    let pieces = megabytes * 1_000_000 / BULK_PIECE_BYTES;
    let lines = BULK_PIECE_BYTES / BULK_LINE_BYTES;
    let width = usize::try_from(BULK_LINE_BYTES).unwrap_or(0) - 1;
    (0..pieces).map(move |piece| {
        let mut text = String::with_capacity(PIECE_CAPACITY);
        for line in piece * lines..(piece + 1) * lines {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "line {line:0>width$}", width = width - "line ".len());
        }
        Bytes::from(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_and_long_ones_in_parts() {
        let long = "x".repeat(PART_BYTES + 1);
        let text = format!("a\n\n{long}\nb");
        let pieces: Vec<usize> = lines(&text).map(|piece| piece.len()).collect();
        assert_eq!(pieces, [2, 1, PART_BYTES, 2, 1]);
        assert_eq!(lines("").count(), 0);
    }

    #[test]
    fn bulk_output_has_its_size_and_numbered_lines() {
        let all: Vec<u8> = bulk(2).flat_map(|piece| piece.to_vec()).collect();
        assert_eq!(all.len(), 2_000_000 / 32_768 * 32_768);
        let text = String::from_utf8(all).expect("ASCII");
        let number = |line: &str| line[5..].parse::<usize>().ok();
        assert!(
            text.lines()
                .enumerate()
                .all(|(index, line)| number(line) == Some(index))
        );
    }
}

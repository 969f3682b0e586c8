//! How a line stands in a frame: stamp, flags, length, text.

use bytes::Bytes;

use crate::ports::{StoreError, Stream};

/// Bytes before the text: the stamp, the flags and the text's length, little-endian.
const HEADER: usize = 8 + 1 + 4;
/// The line was written to standard error.
const STDERR: u8 = 1;
/// The line goes on in the next one: it was too long, or its end was never written.
const UNENDED: u8 = 2;
/// No frame is larger than this when it is unpacked, whatever its header says, in bytes.
const LARGEST_FRAME: usize = 64 << 20;

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The engine's time stamp, in nanoseconds since 1970.
    pub at_nanos: i64,
    /// Where it was written.
    pub stream: Stream,
    /// The text, without its line end.
    pub text: Bytes,
    /// Whether a line end followed.
    pub is_ended: bool,
}

/// Adds a line to a frame's bytes.
pub(super) fn encode(into: &mut Vec<u8>, at_nanos: i64, stream: Stream, text: &[u8], ended: bool) {
    let mut flags = 0;
    if stream == Stream::Stderr {
        flags |= STDERR;
    }
    if !ended {
        flags |= UNENDED;
    }
    into.extend_from_slice(&at_nanos.to_le_bytes());
    into.push(flags);
    into.extend_from_slice(&(text.len() as u32).to_le_bytes());
    into.extend_from_slice(text);
}

/// Compresses a frame's bytes; level 1, because logs come fast and compress well anyway.
pub(super) fn compress(raw: &[u8]) -> Result<Bytes, StoreError> {
    zstd::bulk::compress(raw, 1)
        .map(Bytes::from)
        .map_err(|error| StoreError::Database(format!("could not compress a log frame: {error}")))
}

/// Unpacks a frame.
pub(super) fn unpack(data: &[u8], raw_bytes: u32) -> Result<Bytes, StoreError> {
    let size = (raw_bytes as usize).min(LARGEST_FRAME);
    zstd::bulk::decompress(data, size)
        .map(Bytes::from)
        .map_err(|error| damaged(&error))
}

fn damaged(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Database(format!("a log frame is damaged: {why}"))
}

/// Reads the lines of an unpacked frame, one after another.
pub(super) struct Lines {
    raw: Bytes,
}

impl Lines {
    /// Reads a frame from its start.
    pub fn new(raw: Bytes) -> Self {
        Self { raw }
    }
}

impl Iterator for Lines {
    type Item = Result<Line, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.raw.is_empty() {
            return None;
        }
        let line = decode(&mut self.raw);
        if line.is_none() {
            self.raw.clear();
        }
        Some(line.ok_or_else(|| damaged(&"a line is cut off")))
    }
}

fn decode(raw: &mut Bytes) -> Option<Line> {
    let at = raw.get(..8)?.try_into().ok()?;
    let flags = *raw.get(8)?;
    let length = u32::from_le_bytes(raw.get(9..HEADER)?.try_into().ok()?) as usize;
    if raw.len() < HEADER + length {
        return None;
    }
    let mut record = raw.split_to(HEADER + length);
    let text = record.split_off(HEADER);
    Some(Line {
        at_nanos: i64::from_le_bytes(at),
        stream: if flags & STDERR == 0 {
            Stream::Stdout
        } else {
            Stream::Stderr
        },
        text,
        is_ended: flags & UNENDED == 0,
    })
}

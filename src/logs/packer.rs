//! Gathers lines until they make a frame.

use super::codec::encode;
use crate::ports::{Cursor, FrameIndex, Stream};

/// A frame is full at this size, in bytes before compression.
const FULL: usize = 1 << 20;

/// Lines of a frame that is not stored yet.
pub(super) struct Gathered {
    pub first_line: u64,
    pub lines: u32,
    pub raw: Vec<u8>,
    pub stdout: Cursor,
    pub stderr: Cursor,
}

/// Gathers the lines of one log.
pub(super) struct Packer {
    next_line: u64,
    lines: u32,
    raw: Vec<u8>,
    stdout: Cursor,
    stderr: Cursor,
}

impl Packer {
    /// Goes on behind the last stored frame, or begins a log.
    pub fn new(last: Option<&FrameIndex>) -> Self {
        Self {
            next_line: last.map_or(0, |it| it.first_line + u64::from(it.lines)),
            lines: 0,
            raw: Vec::new(),
            stdout: last.map(|it| it.stdout).unwrap_or_default(),
            stderr: last.map(|it| it.stderr).unwrap_or_default(),
        }
    }

    /// Adds a line.
    pub fn push(&mut self, at_nanos: i64, stream: Stream, text: &[u8], ended: bool) {
        encode(&mut self.raw, at_nanos, stream, text, ended);
        self.lines += 1;
        let cursor = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        if cursor.at_nanos == at_nanos {
            cursor.lines += 1;
        } else {
            *cursor = Cursor { at_nanos, lines: 1 };
        }
    }

    /// Says whether there is a whole frame.
    pub fn is_full(&self) -> bool {
        self.raw.len() >= FULL
    }

    /// Takes what was gathered; `None` when that is nothing.
    pub fn take(&mut self) -> Option<Gathered> {
        if self.lines == 0 {
            return None;
        }
        let first_line = self.next_line;
        let lines = std::mem::take(&mut self.lines);
        self.next_line += u64::from(lines);
        Some(Gathered {
            first_line,
            lines,
            raw: std::mem::take(&mut self.raw),
            stdout: self.stdout,
            stderr: self.stderr,
        })
    }
}

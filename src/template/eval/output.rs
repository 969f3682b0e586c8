//! Collects the rendered text and remembers which source line each of its lines came from.
use crate::template::value::runes;
use std::ops::Range;

/// Is a rendered template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// For each line of the text, the source line, from 1, that its first byte came from.
    pub lines: Vec<u32>,
}

/// Is the text rendered so far.
pub(super) struct Output<'s> {
    source: &'s str,
    line_starts: Vec<usize>,
    bytes: Vec<u8>,
    lines: Vec<u32>,
    at_line_start: bool,
    limit: usize,
}

impl<'s> Output<'s> {
    pub(super) fn new(source: &'s str, limit: usize) -> Self {
        let newlines = source.match_indices('\n').map(|(index, _)| index + 1);
        let line_starts = std::iter::once(0).chain(newlines).collect();
        Output {
            source,
            line_starts,
            bytes: Vec::new(),
            lines: Vec::new(),
            at_line_start: true,
            limit,
        }
    }

    /// Copies bytes of the source; each line keeps its own number.
    pub(super) fn copy(&mut self, span: Range<usize>) -> Result<(), String> {
        let line = self.line_of(span.start);
        let bytes = self.source.as_bytes();
        self.append(&bytes[span], line, 1)
    }

    /// Writes bytes that the action at `position` made; all its lines count as that action's.
    pub(super) fn write(&mut self, bytes: &[u8], position: usize) -> Result<(), String> {
        let line = self.line_of(position);
        self.append(bytes, line, 0)
    }

    pub(super) fn finish(self) -> Rendered {
        Rendered {
            text: runes::to_string(&self.bytes),
            lines: self.lines,
        }
    }

    fn append(&mut self, bytes: &[u8], mut line: u32, line_step: u32) -> Result<(), String> {
        if self.bytes.len() + bytes.len() > self.limit {
            return Err(format!("the output is longer than {} bytes", self.limit));
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.at_line_start {
                self.lines.push(line);
            }
            self.at_line_start = piece.ends_with(b"\n");
            line += line_step;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn line_of(&self, position: usize) -> u32 {
        self.line_starts.partition_point(|start| *start <= position) as u32
    }
}

//! Fills a frame.

use super::{FRAME_BYTES, Run, VERSION};
use crate::{logs::Ending, ports::Stream};

/// A frame being filled.
#[derive(Debug, Default)]
pub(in crate::logs) struct FrameBuilder {
    text: Vec<u8>,
    runs: Vec<u8>,
    open: Option<Run>,
    last_at: i64,
    first_at: i64,
    lines: u32,
}

impl FrameBuilder {
    pub(in crate::logs) fn is_empty(&self) -> bool {
        self.lines == 0
    }

    pub(in crate::logs) fn lines(&self) -> u32 {
        self.lines
    }

    /// The time stamp of the first line.
    pub(in crate::logs) fn first_at(&self) -> i64 {
        self.first_at
    }

    /// Says whether so much more text fits.
    pub(in crate::logs) fn has_room(&self, bytes: usize) -> bool {
        self.text.len() + self.runs.len() + bytes <= FRAME_BYTES
    }

    /// Adds a block of `lines` lines; its last newline may be missing.
    pub(in crate::logs) fn push(
        &mut self,
        stream: Stream,
        at_nanos: i64,
        ending: Ending,
        (text, lines): (&[u8], u32),
    ) {
        if self.is_empty() {
            self.first_at = at_nanos;
        }
        self.lines += lines;
        self.text.extend_from_slice(text);
        if text.last() != Some(&b'\n') {
            self.text.push(b'\n');
        }
        let run = Run {
            stream,
            at_nanos,
            ending,
            lines,
        };
        match &mut self.open {
            Some(open) if (Run { lines, ..*open }) == run => open.lines += lines,
            _ => {
                self.close_run();
                self.open = Some(run);
            }
        }
    }

    /// Returns the frame's bytes.
    pub(in crate::logs) fn finish(mut self) -> Vec<u8> {
        self.close_run();
        let size = u32::try_from(self.runs.len()).expect("runs take a few bytes for each line");
        self.text.extend_from_slice(&self.runs);
        self.text.extend_from_slice(&size.to_le_bytes());
        self.text.push(VERSION);
        self.text
    }

    fn close_run(&mut self) {
        let Some(run) = self.open.take() else { return };
        let stream = match run.stream {
            Stream::Stdout => 0,
            Stream::Stderr => 1,
        };
        let ending = match run.ending {
            Ending::Newline => 0,
            Ending::Stream => 1,
            Ending::Continued => 2,
        };
        put_number(
            &mut self.runs,
            u64::from(run.lines) << 3 | ending << 1 | stream,
        );
        put_number(
            &mut self.runs,
            zigzag(run.at_nanos.wrapping_sub(self.last_at)),
        );
        self.last_at = run.at_nanos;
    }
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Maps small distances of either sign to small numbers.
fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

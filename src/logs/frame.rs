//! The inside of a frame, before compression.
//!
//! The text of all lines comes first, each line closed by a newline. Then the runs: lines in a row that share stream,
//! time stamp and ending take one entry of a few bytes (`count << 3 | ending << 1 | stream` and the distance to the
//! last stamp, as variable-length numbers). Last the size of the runs in four bytes and a version byte.

use bytes::Bytes;
use memchr::memchr;

use super::{Ending, Line};
use crate::ports::{FrameIndex, Stream};

/// How much a frame holds before compression.
pub(super) const FRAME_BYTES: usize = 1 << 20;
/// No stored frame is larger: a frame's last line may go past [`FRAME_BYTES`], with its runs.
const LARGEST_FRAME: usize = 16 * FRAME_BYTES;
const VERSION: u8 = 1;
const TRAILER_BYTES: usize = 5;

/// Lines in a row that share stream, time stamp and ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    stream: Stream,
    at_nanos: i64,
    ending: Ending,
    lines: u32,
}

/// A frame being filled.
#[derive(Debug, Default)]
pub(super) struct FrameBuilder {
    text: Vec<u8>,
    runs: Vec<u8>,
    open: Option<Run>,
    last_at: i64,
    first_at: i64,
    lines: u32,
}

impl FrameBuilder {
    pub(super) fn is_empty(&self) -> bool {
        self.lines == 0
    }

    pub(super) fn lines(&self) -> u32 {
        self.lines
    }

    /// The time stamp of the first line.
    pub(super) fn first_at(&self) -> i64 {
        self.first_at
    }

    /// Says whether so much more text fits.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.text.len() + self.runs.len() + bytes <= FRAME_BYTES
    }

    /// Adds a block of `lines` lines; its last newline may be missing.
    pub(super) fn push(
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
    pub(super) fn finish(mut self) -> Vec<u8> {
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

/// A frame being read, line by line.
#[derive(Debug)]
pub(super) struct FrameReader {
    text: Bytes,
    runs: Bytes,
    run: Option<Run>,
    next_line: u64,
}

impl FrameReader {
    /// Unpacks a stored frame.
    pub(super) fn unpack(index: &FrameIndex, data: &[u8]) -> Result<FrameReader, String> {
        let size = (index.raw_bytes as usize).min(LARGEST_FRAME);
        let raw = zstd::bulk::decompress(data, size).map_err(|error| error.to_string())?;
        FrameReader::new(Bytes::from(raw), index.first_line)
            .ok_or_else(|| "its trailer is wrong".to_owned())
    }

    fn new(mut raw: Bytes, next_line: u64) -> Option<FrameReader> {
        let trailer = raw.split_off(raw.len().checked_sub(TRAILER_BYTES)?);
        let (size, version) = trailer.split_at(TRAILER_BYTES - 1);
        if version != [VERSION] {
            return None;
        }
        let size = u32::from_le_bytes(size.try_into().ok()?) as usize;
        let runs = raw.split_off(raw.len().checked_sub(size)?);
        Some(FrameReader {
            text: raw,
            runs,
            run: None,
            next_line,
        })
    }

    /// Passes over lines before this one.
    pub(super) fn skip_to(&mut self, line: u64) -> Result<(), String> {
        while self.next_line < line && self.advance()?.is_some() {}
        Ok(())
    }

    /// Reads the next line.
    pub(super) fn next_line(&mut self) -> Result<Option<Line>, String> {
        let number = self.next_line;
        Ok(self.advance()?.map(|(run, text)| Line {
            number,
            stream: run.stream,
            at_nanos: run.at_nanos,
            ending: run.ending,
            text,
        }))
    }

    fn advance(&mut self) -> Result<Option<(Run, Bytes)>, String> {
        let Some(run) = self.open_run()? else {
            return Ok(None);
        };
        let end = memchr(b'\n', &self.text).ok_or("it has fewer lines than it says")?;
        let mut text = self.text.split_to(end + 1);
        text.truncate(end);
        self.next_line += 1;
        let lines = run.lines - 1;
        self.run = Some(Run { lines, ..run });
        Ok(Some((run, text)))
    }

    /// The run that the next line belongs to.
    fn open_run(&mut self) -> Result<Option<Run>, String> {
        loop {
            match self.run {
                Some(run) if run.lines > 0 => return Ok(Some(run)),
                _ if self.runs.is_empty() => return Ok(None),
                _ => self.run = Some(self.read_run().ok_or("a run of lines is wrong")?),
            }
        }
    }

    fn read_run(&mut self) -> Option<Run> {
        let head = take_number(&mut self.runs)?;
        let distance = take_number(&mut self.runs)?;
        let ending = match head >> 1 & 3 {
            0 => Ending::Newline,
            1 => Ending::Stream,
            2 => Ending::Continued,
            _ => return None,
        };
        let last_at = self.run.map_or(0, |run| run.at_nanos);
        Some(Run {
            stream: [Stream::Stdout, Stream::Stderr][(head & 1) as usize],
            at_nanos: last_at.wrapping_add(unzigzag(distance)),
            ending,
            lines: u32::try_from(head >> 3).ok()?,
        })
    }
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_number(bytes: &mut Bytes) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.first()?;
        let _ = bytes.split_to(1);
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Maps small distances of either sign to small numbers.
fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(first_line: u64, raw_bytes: usize) -> FrameIndex {
        FrameIndex {
            first_line,
            lines: 0,
            first_at_nanos: 0,
            raw_bytes: raw_bytes as u32,
            offset: 0,
            length: 0,
            stdout: Default::default(),
            stderr: Default::default(),
        }
    }

    fn read(first_line: u64, raw: &[u8]) -> Result<Vec<Line>, String> {
        let data = zstd::bulk::compress(raw, 1).unwrap();
        let mut frame = FrameReader::unpack(&index(first_line, raw.len()), &data)?;
        std::iter::from_fn(|| frame.next_line().transpose()).collect()
    }

    #[test]
    fn lines_come_back_with_number_stream_stamp_and_ending() {
        let mut frame = FrameBuilder::default();
        let (out, err) = (Stream::Stdout, Stream::Stderr);
        frame.push(out, i64::MAX, Ending::Newline, (b"a\n\n", 2));
        frame.push(out, i64::MAX, Ending::Newline, (b"b\n", 1));
        frame.push(err, i64::MIN, Ending::Continued, (b"c", 1));
        frame.push(err, -5, Ending::Stream, (b"", 1));
        assert_eq!((frame.lines(), frame.first_at()), (5, i64::MAX));
        let lines = read(7, &frame.finish()).unwrap();
        let expected = [
            (7, out, i64::MAX, Ending::Newline, "a"),
            (8, out, i64::MAX, Ending::Newline, ""),
            (9, out, i64::MAX, Ending::Newline, "b"),
            (10, err, i64::MIN, Ending::Continued, "c"),
            (11, err, -5, Ending::Stream, ""),
        ];
        let expected = expected.map(|(number, stream, at_nanos, ending, text)| Line {
            number,
            stream,
            at_nanos,
            ending,
            text: Bytes::from(text),
        });
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_damaged_frame_is_an_error_and_never_a_panic() {
        let mut frame = FrameBuilder::default();
        for at in 0..50 {
            frame.push(
                Stream::Stdout,
                at * 1_000_003,
                Ending::Newline,
                (b"text\n", 1),
            );
        }
        let whole = frame.finish();
        for cut in 0..whole.len() {
            let _ = read(0, &whole[cut..]);
            let mut wrong = whole.clone();
            wrong[cut] ^= 0xff;
            let _ = read(0, &wrong);
        }
        assert!(read(0, &whole[..whole.len() - 1]).is_err());
        assert!(FrameReader::unpack(&index(0, 100), b"not zstd").is_err());
    }
}

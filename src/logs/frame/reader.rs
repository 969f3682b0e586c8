//! Reads a frame line by line.

use bytes::Bytes;
use memchr::memchr;

use super::{FRAME_BYTES, Run, VERSION};
use crate::{
    logs::{Ending, Line},
    ports::{FrameIndex, Stream},
};

/// No stored frame is larger: a frame's last line may go past [`FRAME_BYTES`], with its runs.
const LARGEST_FRAME: usize = 16 * FRAME_BYTES;
const TRAILER_BYTES: usize = 5;

/// A frame being read, line by line.
#[derive(Debug)]
pub(in crate::logs) struct FrameReader {
    text: Bytes,
    runs: Bytes,
    run: Option<Run>,
    next_line: u64,
}

impl FrameReader {
    /// Unpacks a stored frame.
    pub(in crate::logs) fn unpack(index: &FrameIndex, data: &[u8]) -> Result<FrameReader, String> {
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
    pub(in crate::logs) fn skip_to(&mut self, line: u64) -> Result<(), String> {
        while self.next_line < line && self.advance()?.is_some() {}
        Ok(())
    }

    /// Reads the next line.
    pub(in crate::logs) fn next_line(&mut self) -> Result<Option<Line>, String> {
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

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

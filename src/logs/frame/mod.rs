//! The inside of a frame, before compression.
//!
//! The text of all lines comes first, each line closed by a newline. Then the runs: lines in a row that share stream,
//! time stamp and ending take one entry of a few bytes (`count << 3 | ending << 1 | stream` and the distance to the
//! last stamp, as variable-length numbers). Last the size of the runs in four bytes and a version byte.

mod builder;
mod reader;

pub(super) use self::{builder::FrameBuilder, reader::FrameReader};
use super::Ending;
use crate::ports::Stream;

/// How much a frame holds before compression.
const FRAME_BYTES: usize = 1 << 20;
const VERSION: u8 = 1;

/// Lines in a row that share stream, time stamp and ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    stream: Stream,
    at_nanos: i64,
    ending: Ending,
    lines: u32,
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{logs::Line, ports::FrameIndex};

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

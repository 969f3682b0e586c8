//! Messages of an engine's log, taken apart.
//!
//! The engine cuts long lines into parts of 16 KiB and puts a time stamp of fixed width before each part.

use bytes::Bytes;
use chrono::DateTime;

use crate::ports::{Output, Stream};

/// The size of the parts into which an engine cuts long lines.
const PART_BYTES: usize = 16 * 1024;

/// The width of `2026-01-02T03:04:05.000000006Z `, its blank included.
const STAMP_BYTES: usize = 31;

/// Takes the stamps off a message: one, except that a terminal's long line comes with all its parts in one message.
pub(super) fn parts(stream: Stream, message: Bytes) -> Vec<Output> {
    let mut found = Vec::new();
    let mut rest = message;
    let mut last_nanos = 0;
    while !rest.is_empty() {
        let bytes = match stamp(&rest) {
            Some(at_nanos) => {
                last_nanos = at_nanos;
                rest.slice(STAMP_BYTES..)
            }
            None => rest.clone(),
        };
        let is_cut = bytes.len() > PART_BYTES && stamp(&bytes[PART_BYTES..]).is_some();
        let end = if is_cut { PART_BYTES } else { bytes.len() };
        rest = bytes.slice(end..);
        found.push(Output {
            stream,
            at_nanos: last_nanos,
            bytes: bytes.slice(..end),
        });
    }
    found
}

fn stamp(message: &[u8]) -> Option<i64> {
    let text = message.get(..STAMP_BYTES)?.strip_suffix(b" ")?;
    let text = std::str::from_utf8(text).ok()?;
    DateTime::parse_from_rfc3339(text)
        .ok()?
        .timestamp_nanos_opt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-01-02T03:04:05.000000006Z ";
    const LATER: &str = "2026-01-02T03:04:05.000000007Z ";

    fn read_parts(message: String) -> Vec<(i64, String)> {
        let found = parts(Stream::Stdout, Bytes::from(message)).into_iter();
        let second = 1_767_323_045 * 1_000_000_000;
        let text = |bytes: Bytes| String::from_utf8_lossy(&bytes).into_owned();
        found
            .map(|part| (part.at_nanos - second, text(part.bytes)))
            .collect()
    }

    #[test]
    fn a_stamp_is_taken_off_and_read() {
        assert_eq!(
            read_parts(format!("{AT}hello\n")),
            [(6, "hello\n".to_string())]
        );
        assert_eq!(read_parts(format!("{AT}\n")), [(6, "\n".to_string())]);
        assert_eq!(read_parts("no stamp\n".to_string())[0].1, "no stamp\n");
    }

    #[test]
    fn the_parts_of_a_terminals_long_line_come_apart() {
        let long = "x".repeat(PART_BYTES);
        let message = format!("{AT}{long}{LATER}{long}{LATER}end\r\n");
        let expected = [(6, long.clone()), (7, long), (7, "end\r\n".to_string())];
        assert_eq!(read_parts(message), expected);
    }

    #[test]
    fn a_line_that_holds_a_stamp_of_its_own_is_left_alone() {
        let line = format!("{LATER}was then\n");
        assert_eq!(read_parts(format!("{AT}{line}")), [(6, line)]);
    }
}

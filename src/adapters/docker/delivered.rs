//! How much of a log was handed on, so that what is read again can be told from what is new.

use std::collections::BTreeMap;

use crate::ports::{Output, Stream};

pub(super) const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// How far the stamps of the two streams may be out of order.
const MARGIN_SECONDS: i64 = 2;

/// The bytes handed on, counted by second as far back as they may be read again.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    latest_second: i64,
    stdout: Half,
    stderr: Half,
}

#[derive(Debug, Default)]
struct Half {
    /// The stamp of the line that has not ended: all its parts bear it, however late they come.
    open_line: Option<i64>,
    bytes_by_second: BTreeMap<i64, u64>,
}

impl Delivered {
    /// Counts a piece that was handed on.
    pub(super) fn note(&mut self, output: &Output) {
        let second = output.at_nanos / NANOS_PER_SECOND;
        let half = self.half(output.stream);
        *half.bytes_by_second.entry(second).or_default() += output.bytes.len() as u64;
        half.open_line = (!output.bytes.ends_with(b"\n")).then_some(second);
        if second > self.latest_second {
            self.latest_second = second;
            let needed = self.resume_second();
            for half in [&mut self.stdout, &mut self.stderr] {
                half.bytes_by_second = half.bytes_by_second.split_off(&needed);
            }
        }
    }

    /// Says from which second on the log must be read again to miss nothing.
    pub(super) fn resume_second(&self) -> i64 {
        let open = [self.stdout.open_line, self.stderr.open_line];
        let oldest = open
            .into_iter()
            .flatten()
            .fold(self.latest_second, i64::min);
        oldest - MARGIN_SECONDS
    }

    /// Takes off a piece that is read again what was handed on before.
    pub(super) fn unread(&mut self, mut output: Output) -> Option<Output> {
        let second = output.at_nanos / NANOS_PER_SECOND;
        let half = self.half(output.stream);
        let Some(before) = half.bytes_by_second.get_mut(&second) else {
            return Some(output);
        };
        let known = usize::try_from(*before)
            .unwrap_or(usize::MAX)
            .min(output.bytes.len());
        *before -= known as u64;
        output.bytes = output.bytes.slice(known..);
        (!output.bytes.is_empty()).then_some(output)
    }

    fn half(&mut self, stream: Stream) -> &mut Half {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn piece((stream, second, text): (Stream, i64, &'static str)) -> Output {
        Output {
            stream,
            at_nanos: second * NANOS_PER_SECOND + 5,
            bytes: Bytes::from(text),
        }
    }

    /// What is unread of a log of which the first `known` pieces were delivered.
    fn unread(log: &[(Stream, i64, &'static str)], known: usize) -> (i64, String) {
        let mut delivered = Delivered::default();
        for part in &log[..known] {
            delivered.note(&piece(*part));
        }
        let again = delivered.resume_second();
        let read_again = log.iter().filter(|part| part.1 >= again);
        let rest = read_again.filter_map(|part| delivered.unread(piece(*part)));
        let text = rest
            .map(|output| String::from_utf8_lossy(&output.bytes).into_owned())
            .collect();
        (again, text)
    }

    #[test]
    fn whatever_was_cut_off_is_found_and_nothing_twice() {
        use Stream::{Stderr, Stdout};
        let log = [
            (Stdout, 100, "a\n"),
            (Stderr, 100, "b\n"),
            (Stdout, 150, "c"),
            (Stderr, 190, "d\n"),
            (Stdout, 150, "e"),
            (Stderr, 191, "f\n"),
            (Stderr, 192, "g\n"),
            (Stdout, 150, "h\n"),
            (Stderr, 199, "i\n"),
            (Stdout, 198, "j\n"),
        ];
        for known in 0..=log.len() {
            let rest: String = log[known..].iter().map(|part| part.2).collect();
            assert_eq!(unread(&log, known).1, rest, "after {known} pieces");
        }
        assert_eq!(
            unread(&log, 7).0,
            148,
            "an open line is read from its beginning"
        );
        assert_eq!(
            unread(&log, 9).0,
            197,
            "a long log is not read from its beginning"
        );
    }
}

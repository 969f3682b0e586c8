//! Joins the pieces of one stream to whole lines, and knows how far it has come.

use std::collections::VecDeque;

use memchr::{memchr, memrchr};

use super::{Ending, Masker};
use crate::ports::Cursor;

/// A line longer than this is cut, so that no line needs more memory.
pub(super) const LINE_BYTES: usize = 64 << 10;

/// Whole lines, or a part of one that is too long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    /// When the first was begun.
    pub(super) at_nanos: i64,
    /// How each of them ended.
    pub(super) ending: Ending,
    /// Their text as it came; only a line that ended with a newline includes it.
    pub(super) text: &'a [u8],
    /// Where the stream has come to after them.
    pub(super) after: Cursor,
}

/// Joins the pieces of one stream.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// The line that has not ended yet.
    pending: Vec<u8>,
    /// The stamps of its bytes: so many bear this one.
    marks: VecDeque<(i64, usize)>,
    /// Where the stream has come to with the last block that was handed on.
    done: Cursor,
    /// What is to be dropped because it is stored.
    skip: Option<Cursor>,
}

impl Splitter {
    /// Goes on from where a stored log ends.
    pub(super) fn from(done: Cursor) -> Splitter {
        Splitter {
            done,
            ..Splitter::default()
        }
    }

    /// Where the stream has come to.
    pub(super) fn done(&self) -> Cursor {
        self.done
    }

    /// Prepares for a stream that begins again at or before [`Splitter::done`].
    pub(super) fn rewind(&mut self) {
        self.pending.clear();
        self.marks.clear();
        self.skip = Some(self.done).filter(|done| *done != Cursor::default());
    }

    /// Takes a piece and hands on the lines that are whole.
    pub(super) fn feed(
        &mut self,
        (at_nanos, piece): (i64, &[u8]),
        masker: &Masker,
        sink: &mut dyn FnMut(Block<'_>),
    ) {
        let piece = self.new_part(at_nanos, piece);
        // In small slices no line of a block is too long.
        for slice in piece.chunks(LINE_BYTES) {
            self.feed_slice((at_nanos, slice), masker, sink);
        }
    }

    /// Hands on what is left when the stream has ended.
    pub(super) fn end(&mut self, masker: &Masker, sink: &mut dyn FnMut(Block<'_>)) {
        self.cut_down_to(LINE_BYTES, masker, sink);
        if !self.pending.is_empty() {
            self.hand_on(self.pending.len(), Ending::Stream, sink);
        }
    }

    /// Drops what is stored already.
    fn new_part<'a>(&mut self, at_nanos: i64, piece: &'a [u8]) -> &'a [u8] {
        let Some(skip) = &mut self.skip else {
            return piece;
        };
        if at_nanos < skip.at_nanos {
            return &[];
        }
        let stored = match at_nanos == skip.at_nanos {
            true => piece
                .len()
                .min(usize::try_from(skip.bytes).unwrap_or(usize::MAX)),
            false => 0,
        };
        skip.bytes -= stored as u64;
        if skip.bytes == 0 || at_nanos > skip.at_nanos {
            self.skip = None;
        }
        &piece[stored..]
    }

    fn feed_slice(
        &mut self,
        (at_nanos, slice): (i64, &[u8]),
        masker: &Masker,
        sink: &mut dyn FnMut(Block<'_>),
    ) {
        let Some(last) = memrchr(b'\n', slice) else {
            self.hold(at_nanos, slice);
            return self.cut_down_to(LINE_BYTES + masker.look_ahead(), masker, sink);
        };
        let (mut whole, part) = slice.split_at(last + 1);
        if !self.pending.is_empty() {
            let first = memchr(b'\n', whole).map_or(whole.len(), |end| end + 1);
            self.hold(at_nanos, &whole[..first]);
            self.cut_down_to(LINE_BYTES + 1, masker, sink);
            self.hand_on(self.pending.len(), Ending::Newline, sink);
            whole = &whole[first..];
        }
        if !whole.is_empty() {
            advance(&mut self.done, at_nanos, whole.len());
            sink(Block {
                at_nanos,
                ending: Ending::Newline,
                text: whole,
                after: self.done,
            });
        }
        self.hold(at_nanos, part);
    }

    fn hold(&mut self, at_nanos: i64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.pending.extend_from_slice(bytes);
        match self.marks.back_mut() {
            Some((at, count)) if *at == at_nanos => *count += bytes.len(),
            _ => self.marks.push_back((at_nanos, bytes.len())),
        }
    }

    /// Cuts pieces off a line that is too long. The cuts depend on the line alone, not on how it came: after a crash
    /// they fall on the same places.
    fn cut_down_to(&mut self, bytes: usize, masker: &Masker, sink: &mut dyn FnMut(Block<'_>)) {
        while self.pending.len() > bytes {
            let cut = masker.cut(&self.pending, LINE_BYTES);
            self.hand_on(cut, Ending::Continued, sink);
        }
    }

    fn hand_on(&mut self, bytes: usize, ending: Ending, sink: &mut dyn FnMut(Block<'_>)) {
        let at_nanos = self.marks.front().map_or(0, |(at, _)| *at);
        self.pass_marks(bytes);
        sink(Block {
            at_nanos,
            ending,
            text: &self.pending[..bytes],
            after: self.done,
        });
        self.pending.drain(..bytes);
    }

    fn pass_marks(&mut self, mut bytes: usize) {
        while let Some((at, count)) = self.marks.front_mut() {
            let passed = bytes.min(*count);
            advance(&mut self.done, *at, passed);
            *count -= passed;
            bytes -= passed;
            if *count > 0 {
                break;
            }
            self.marks.pop_front();
            if bytes == 0 {
                break;
            }
        }
    }
}

fn advance(cursor: &mut Cursor, at_nanos: i64, bytes: usize) {
    if cursor.at_nanos != at_nanos {
        *cursor = Cursor { at_nanos, bytes: 0 };
    }
    cursor.bytes += bytes as u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The blocks of one stream, masked.
    fn blocks(line: &[u8], size: usize, masker: &Masker) -> Vec<(Vec<u8>, Ending)> {
        let mut splitter = Splitter::default();
        let mut found = Vec::new();
        let mut sink = |block: Block<'_>| {
            found.push((masker.mask(block.text).into_owned(), block.ending));
        };
        for (at_nanos, piece) in (1..).zip(line.chunks(size)) {
            splitter.feed((at_nanos, piece), masker, &mut sink);
        }
        splitter.end(masker, &mut sink);
        assert_eq!(splitter.done().at_nanos, line.chunks(size).len() as i64);
        found
    }

    #[test]
    fn a_secret_across_the_cut_of_a_long_line_is_masked() {
        let masker = Masker::new(["hunter22", "hunter22andmore"]);
        for before in LINE_BYTES - 20..LINE_BYTES + 4 {
            for end in ["", "\n", "and so on\n"] {
                let line = [
                    "x".repeat(before),
                    "hunter22andmore".to_owned(),
                    end.to_owned(),
                ];
                let line = line.concat().into_bytes();
                let uncut = blocks(&line, 1 << 20, &masker);
                let texts: Vec<_> = uncut.iter().map(|(text, _)| &text[..]).collect();
                assert!(texts.concat() == *masker.mask(&line), "{before} {end:?}");
                for size in [1_000, LINE_BYTES - 1, LINE_BYTES, LINE_BYTES + 1] {
                    assert!(
                        blocks(&line, size, &masker) == uncut,
                        "{before} {end:?} {size}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_place_of_a_stream_counts_the_bytes_of_its_last_stamp() {
        let mut splitter = Splitter::default();
        let mut places = Vec::new();
        let masker = Masker::default();
        for (at_nanos, piece) in [(5, "a\nb"), (5, "b\n"), (6, "c"), (7, "c\nddd\nee")] {
            splitter.feed((at_nanos, piece.as_bytes()), &masker, &mut |block| {
                places.push((block.after.at_nanos, block.after.bytes));
            });
        }
        assert_eq!(places, [(5, 2), (5, 5), (7, 2), (7, 6)]);
        splitter.rewind();
        let mut again = Vec::new();
        for (at_nanos, piece) in [(7, "c\nddd"), (7, "\nee"), (8, "\n")] {
            splitter.feed((at_nanos, piece.as_bytes()), &masker, &mut |block| {
                again.push(block.text.to_vec());
            });
        }
        assert_eq!(again, [b"ee\n"]);
    }
}

//! Turns what a container writes into frames of numbered, masked lines.

use std::{collections::VecDeque, sync::Arc};

use memchr::memchr_iter;

use super::{
    Ending, LineRef, Masker, Matcher,
    frame::FrameBuilder,
    splitter::{Block, Splitter},
};
use crate::ports::{Cursor, FrameIndex, Output, Stream};

/// Is told every line as it is packed; must not wait for anything.
pub type Tap = Box<dyn FnMut(LineRef<'_>) + Send + Sync>;

/// A full frame, not yet compressed.
#[derive(Debug)]
pub(super) struct RawFrame {
    pub(super) first_line: u64,
    pub(super) lines: u32,
    pub(super) first_at_nanos: i64,
    pub(super) stdout: Cursor,
    pub(super) stderr: Cursor,
    pub(super) bytes: Vec<u8>,
}

/// Packs the two streams of one log.
pub(super) struct Packer {
    splitters: [Splitter; 2],
    shelf: Shelf,
    masker: Arc<Masker>,
    pub(super) matcher: Matcher,
}

/// Where lines go: into the open frame, which moves to the full ones in its turn.
struct Shelf {
    frame: FrameBuilder,
    first_line: u64,
    /// Where each stream has come to with the last line in the open frame.
    cursors: [Cursor; 2],
    full: VecDeque<RawFrame>,
    tap: Option<Tap>,
}

impl Packer {
    /// Begins a log, or goes on after its last frame.
    pub(super) fn new(last: Option<&FrameIndex>, masker: Arc<Masker>) -> Packer {
        let cursors = last.map_or_else(Default::default, |last| [last.stdout, last.stderr]);
        Packer {
            splitters: cursors.map(Splitter::from),
            shelf: Shelf {
                frame: FrameBuilder::default(),
                first_line: last.map_or(0, |last| last.first_line + u64::from(last.lines)),
                cursors,
                full: VecDeque::new(),
                tap: None,
            },
            masker,
            matcher: Matcher::default(),
        }
    }

    /// Tells every line from now on.
    pub(super) fn set_tap(&mut self, tap: Tap) {
        self.shelf.tap = Some(tap);
    }

    /// How many lines the log has, those not yet stored included.
    pub(super) fn lines(&self) -> u64 {
        self.shelf.next_line()
    }

    /// Says whether lines wait in the open frame.
    pub(super) fn is_open(&self) -> bool {
        !self.shelf.frame.is_empty()
    }

    /// Prepares for streams that begin again, and says from which stamp on they are needed: the earlier of the two,
    /// because a stream's stamps say nothing of the other's. The matcher wants to see everything again.
    pub(super) fn rewind(&mut self) -> i64 {
        self.splitters.iter_mut().for_each(Splitter::rewind);
        self.matcher.rewind();
        if self.matcher.is_looking() {
            return 0;
        }
        let stamps = self.splitters.iter().map(|s| s.done().at_nanos);
        stamps.min().unwrap_or(0)
    }

    /// Takes a piece of output.
    pub(super) fn feed(&mut self, output: &Output) {
        self.matcher.feed(output.stream, &output.bytes);
        let stream = output.stream;
        let (masker, shelf) = (&*self.masker, &mut self.shelf);
        let piece = (output.at_nanos, &*output.bytes);
        self.splitters[stream as usize].feed(piece, masker, &mut |block| {
            shelf.put(stream, block, masker);
        });
    }

    /// Takes the end of both streams.
    pub(super) fn end(&mut self) {
        let (masker, shelf) = (&*self.masker, &mut self.shelf);
        for stream in [Stream::Stdout, Stream::Stderr] {
            self.splitters[stream as usize].end(masker, &mut |block| {
                shelf.put(stream, block, masker);
            });
        }
    }

    /// Closes the open frame, full or not.
    pub(super) fn close_frame(&mut self) {
        self.shelf.close_frame();
    }

    /// The next full frame; it stays until [`Packer::pop_full`].
    pub(super) fn has_full(&self) -> bool {
        !self.shelf.full.is_empty()
    }

    /// Takes the next full frame.
    pub(super) fn pop_full(&mut self) -> Option<RawFrame> {
        self.shelf.full.pop_front()
    }
}

impl Shelf {
    fn next_line(&self) -> u64 {
        self.first_line + u64::from(self.frame.lines())
    }

    fn put(&mut self, stream: Stream, block: Block<'_>, masker: &Masker) {
        if !self.frame.has_room(block.text.len() + 1) {
            self.close_frame();
        }
        let text = masker.mask(block.text);
        if self.tap.is_some() {
            self.tell(stream, block, &text);
        }
        let lines = match block.ending {
            Ending::Newline => memchr_iter(b'\n', &text).count() as u32,
            Ending::Stream | Ending::Continued => 1,
        };
        self.frame
            .push(stream, block.at_nanos, block.ending, (&text, lines));
        self.cursors[stream as usize] = block.after;
    }

    fn tell(&mut self, stream: Stream, block: Block<'_>, text: &[u8]) {
        let number = self.next_line();
        let Some(tap) = &mut self.tap else { return };
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        for (number, text) in (number..).zip(text.split(|byte| *byte == b'\n')) {
            tap(LineRef {
                number,
                stream,
                at_nanos: block.at_nanos,
                ending: block.ending,
                text,
            });
        }
    }

    fn close_frame(&mut self) {
        if self.frame.is_empty() {
            return;
        }
        let frame = std::mem::take(&mut self.frame);
        let (first_line, lines) = (self.first_line, frame.lines());
        self.first_line += u64::from(lines);
        self.full.push_back(RawFrame {
            first_line,
            lines,
            first_at_nanos: frame.first_at(),
            stdout: self.cursors[Stream::Stdout as usize],
            stderr: self.cursors[Stream::Stderr as usize],
            bytes: frame.finish(),
        });
    }
}

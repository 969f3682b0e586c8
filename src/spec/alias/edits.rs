//! A text with replaced parts that still knows where each byte came from.

use crate::text::Span;
use std::ops::Range;

/// The replaced parts of a text, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    list: Vec<Edit>,
}

/// One part: where it is now, and where it was.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    new: Range<usize>,
    old: Range<usize>,
}

impl Edits {
    /// Finds the bytes of the old text that a span of the new one came from; a part of a replacement came from
    /// all that it replaced.
    pub fn to_old(&self, span: Span) -> Span {
        let start = match self.around(span.start) {
            Some(edit) if span.start < edit.new.end => edit.old.start,
            before => shifted(span.start, before),
        };
        let end = match self.around(span.end) {
            Some(edit) if edit.new.start < span.end && span.end < edit.new.end => edit.old.end,
            Some(edit) if span.end == edit.new.start => edit.old.start,
            before => shifted(span.end, before),
        };
        Span::new(start, end.max(start))
    }

    /// Finds the last edit that starts at or before a position.
    fn around(&self, at: usize) -> Option<&Edit> {
        let count = self.list.partition_point(|edit| edit.new.start <= at);
        count.checked_sub(1).map(|index| &self.list[index])
    }
}

/// Moves a position that lies behind an edit back to its place in the old text.
fn shifted(at: usize, before: Option<&Edit>) -> usize {
    match before {
        Some(edit) => at - edit.new.end + edit.old.end,
        None => at,
    }
}

/// A text being edited from its start to its end.
#[derive(Debug)]
pub struct Edited<'t> {
    old: &'t str,
    taken: usize,
    new: String,
    edits: Edits,
}

impl<'t> Edited<'t> {
    /// Starts to edit `old`.
    pub fn new(old: &'t str) -> Self {
        Self {
            old,
            taken: 0,
            new: String::with_capacity(old.len()),
            edits: Edits::default(),
        }
    }

    /// Replaces a part that lies behind all parts replaced before.
    pub fn replace(&mut self, old: Range<usize>, text: &str) {
        self.new.push_str(&self.old[self.taken..old.start]);
        let start = self.new.len();
        self.new.push_str(text);
        self.taken = old.end;
        let new = start..self.new.len();
        self.edits.list.push(Edit { new, old });
    }

    /// Gives the new text and what was replaced in it.
    pub fn finish(mut self) -> (String, Edits) {
        self.new.push_str(&self.old[self.taken..]);
        (self.new, self.edits)
    }
}

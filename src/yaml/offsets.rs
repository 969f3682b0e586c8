//! From a place in a decoded scalar back to the source bytes that it comes from.

use super::node::{Node, Style};
use crate::text::Span;
use std::ops::Range;

/// For each character of a decoded scalar, where it comes from.
#[derive(Debug, Clone)]
pub struct Offsets {
    whole: Span,
    /// Offset in the decoded text and range of the source, in order; empty when the two could not be aligned.
    characters: Vec<(usize, Range<usize>)>,
}

impl Offsets {
    /// Finds the places of a range of the decoded text; the whole scalar where that is not possible.
    pub fn source_span(&self, decoded: Span) -> Span {
        let after = |offset: usize| self.characters.partition_point(|(at, _)| *at < offset);
        let first = self.characters.get(after(decoded.start));
        let last = after(decoded.end).checked_sub(1);
        let last = last.and_then(|index| self.characters.get(index));
        match (first, last) {
            (Some((_, first)), Some((_, last))) if first.start < last.end => {
                Span::new(first.start, last.end)
            }
            (Some((_, first)), _) => Span::new(first.start, first.start),
            // Behind the last character.
            (None, Some((_, last))) => Span::new(last.end, last.end),
            (None, None) => self.whole,
        }
    }
}

impl Node {
    /// Aligns a scalar with `source`, the text that it was composed from.
    pub fn offsets(&self, source: &str) -> Offsets {
        let mut start = self.span.start;
        let aligned = self.scalar().and_then(|(text, style)| {
            if matches!(style, Style::Literal | Style::Folded) {
                // The span begins behind the indentation of the first line that has text.
                start = source.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
            }
            let written = source.get(start..self.span.end)?;
            Aligner::new(written, style, text).run()
        });
        let characters = aligned.unwrap_or_default().into_iter();
        let moved = characters.map(|(at, range)| (at, range.start + start..range.end + start));
        Offsets {
            whole: self.span,
            characters: moved.collect(),
        }
    }

    /// Finds where a range of the decoded text of this scalar is written in `source`.
    pub fn source_span(&self, source: &str, decoded: Span) -> Span {
        self.offsets(source).source_span(decoded)
    }
}

/// Walks over what is written and what it was decoded to, side by side.
struct Aligner<'a> {
    written: &'a str,
    decoded: &'a str,
    style: Style,
    /// Where both walks are.
    at: usize,
    decoded_at: usize,
    /// How far the lines of a block are indented.
    indent: usize,
    aligned: Vec<(usize, Range<usize>)>,
}

impl<'a> Aligner<'a> {
    fn new(written: &'a str, style: Style, decoded: &'a str) -> Self {
        let mut aligner = Self {
            written,
            decoded,
            style,
            at: 0,
            decoded_at: 0,
            indent: 0,
            aligned: Vec::with_capacity(decoded.len()),
        };
        aligner.begin();
        aligner
    }

    /// Steps over the quotation mark, or to the first line of a block that has text.
    fn begin(&mut self) {
        match self.style {
            Style::Plain => {}
            Style::SingleQuoted | Style::DoubleQuoted => self.at = 1,
            Style::Literal | Style::Folded => {
                let text = self.decoded.trim_start_matches('\n');
                for at in 0..self.decoded.len() - text.len() {
                    self.aligned.push((at, 0..0));
                    self.decoded_at += 1;
                }
                self.indent = first_indent(self.written).saturating_sub(first_indent(text));
                self.skip_blanks(self.indent);
            }
        }
    }

    /// Aligns character by character; `None` when the walks do not meet.
    fn run(mut self) -> Option<Vec<(usize, Range<usize>)>> {
        while let Some(wanted) = self.decoded[self.decoded_at..].chars().next() {
            if self.is_line_break() {
                self.fold(wanted)?;
            } else if self.style == Style::DoubleQuoted && self.rest().starts_with('\\') {
                self.escape(wanted)?;
            } else {
                self.plain(wanted)?;
            }
        }
        Some(self.aligned)
    }

    fn rest(&self) -> &'a str {
        &self.written[self.at.min(self.written.len())..]
    }

    fn is_block(&self) -> bool {
        matches!(self.style, Style::Literal | Style::Folded)
    }

    /// Says whether the written text goes on in another line from here, blanks at a line's end included.
    fn is_line_break(&self) -> bool {
        let rest = match self.is_block() {
            true => self.rest(),
            false => self.rest().trim_start_matches([' ', '\t']),
        };
        rest.starts_with(['\n', '\r']) || (rest.is_empty() && self.is_block())
    }

    /// Aligns a line break, with the blank lines after it, to the blank or the breaks that it became.
    fn fold(&mut self, wanted: char) -> Option<()> {
        let start = self.at;
        let blank = [' ', '\t', '\n', '\r'];
        let count = self.rest().len() - self.rest().trim_start_matches(blank).len();
        let run = &self.rest()[..count];
        if self.is_block() {
            let last_line = run.rfind('\n').map_or(count, |at| at + 1);
            self.at += last_line;
            self.skip_blanks(self.indent);
        } else {
            self.at += count;
        }
        let became = match wanted {
            ' ' => 1,
            '\n' => {
                self.decoded[self.decoded_at..].len()
                    - self.decoded[self.decoded_at..]
                        .trim_start_matches('\n')
                        .len()
            }
            _ => return None,
        };
        for _ in 0..became {
            self.aligned.push((self.decoded_at, start..start + 1));
            self.decoded_at += 1;
        }
        Some(())
    }

    fn skip_blanks(&mut self, most: usize) {
        let blanks = self.rest().bytes().take_while(|byte| *byte == b' ').count();
        self.at += blanks.min(most);
    }

    /// Aligns an escape of double quotes, which may hide a line break or be two halves of one character.
    fn escape(&mut self, wanted: char) -> Option<()> {
        let rest = self.rest();
        let kind = rest[1..].chars().next()?;
        if kind == '\n' || kind == '\r' {
            let behind = rest[1..].trim_start_matches([' ', '\t', '\n', '\r']);
            self.at += rest.len() - behind.len();
            return Some(());
        }
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let mut length = 1 + kind.len_utf8() + digits;
        if kind == 'u' && wanted > '\u{ffff}' {
            length *= 2;
        }
        self.push(wanted, length)
    }

    fn plain(&mut self, wanted: char) -> Option<()> {
        let length = match (self.style, wanted) {
            (Style::SingleQuoted, '\'') => 2,
            _ => wanted.len_utf8(),
        };
        self.rest().starts_with(wanted).then_some(())?;
        self.push(wanted, length)
    }

    fn push(&mut self, wanted: char, length: usize) -> Option<()> {
        let range = self.at..self.at + length;
        self.written.get(range.clone())?;
        self.at = range.end;
        self.aligned.push((self.decoded_at, range));
        self.decoded_at += wanted.len_utf8();
        Some(())
    }
}

/// Counts the blanks before the first line that has something else.
fn first_indent(text: &str) -> usize {
    let line = text.lines().find(|line| !line.trim().is_empty());
    line.map_or(0, |line| line.len() - line.trim_start_matches(' ').len())
}

#[cfg(test)]
mod tests {
    use crate::text::Span;
    use crate::yaml::{Kind, Node, compose};

    fn value(text: &str) -> Node {
        let (root, findings) = compose(text);
        assert!(!findings.has_errors(), "{text:?} {findings:?}");
        let Kind::Mapping(mut pairs) = root.unwrap().kind else {
            panic!("no map")
        };
        pairs.remove(0).value
    }

    #[test]
    fn a_marked_word_is_found_where_it_is_written() {
        for text in [
            "a: x && MARK y",
            "a: x\n  y   \n\n  z MARK\n  w",
            "a: 'it''s x\n  MARK'",
            "a: \"\\x41\\u263a\\n\\ud83d\\ude00 MARK\\\n   z\"",
            "a: \"b  \\\n   c\n\n  MARK\"",
            "a: |\n  #!/bin/sh\n\n    é MARK\n  x\nb: 1",
            "a: |\n\n\n  x MARK",
            "a: >\n  f\n  g\n\n  h MARK\n    more\n  x\n",
            "a: >\r\n  f\r\n  MARK\r\n",
            "a: |2-\n    x MARK\n",
            "a:   MARK # comment",
            "\u{feff}a: 'MARK'",
            "a: é\r\n  MARK\r\n",
            "a: >-\n  x\n   MARK\n\n\n  y\n",
        ] {
            let node = value(text);
            let (decoded, _) = node.scalar().unwrap();
            let at = decoded.find("MARK").unwrap();
            let found = node.source_span(text, Span::new(at, at + 4));
            assert_eq!(
                text.get(found.start..found.end),
                Some("MARK"),
                "{text:?} {decoded:?}"
            );
        }
    }

    #[test]
    fn every_range_of_every_scalar_has_a_place() {
        for text in [
            "a: |+\n  x\n\n\n",
            "a: ''",
            "a: \"\\\n \"",
            "a: >\n",
            "a:",
            "a: \"é\\U0001F600\"",
            "a: |\n  x",
        ] {
            let node = value(text);
            let (decoded, _) = node.scalar().unwrap();
            let offsets = node.offsets(text);
            for start in 0..decoded.len() + 2 {
                for end in start..decoded.len() + 2 {
                    let span = offsets.source_span(Span::new(start, end));
                    assert!(span.start <= span.end && span.end <= text.len(), "{text:?}");
                }
            }
        }
    }
}

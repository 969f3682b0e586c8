//! Where the lines of a text begin, so that byte offsets become lines and columns.

/// The lines of a text, found once.
#[derive(Debug)]
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Finds the lines of `text`.
    pub fn new(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1));
        Self {
            text,
            starts: starts.collect(),
        }
    }

    /// Counts the lines.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// Gives the 0-based number of the line that holds the byte at `offset`.
    pub fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    /// Gives where a 0-based line begins and ends, its line break left out.
    pub fn range(&self, line: usize) -> std::ops::Range<usize> {
        let start = self.starts[line];
        let end = match self.starts.get(line + 1) {
            Some(next) => next - 1,
            None => self.text.len(),
        };
        let is_carriage_return = end > start && self.text.as_bytes()[end - 1] == b'\r';
        start..end - usize::from(is_carriage_return)
    }

    /// Gives the 1-based line and the 1-based column, in characters, of a byte offset.
    pub fn line_column(&self, offset: usize) -> (u32, u32) {
        let offset = floor_boundary(self.text, offset);
        let line = self.line_of(offset);
        let column = self.text[self.starts[line]..offset].chars().count();
        (one_based(line), one_based(column))
    }
}

/// Gives the 1-based line and column, in characters, of one byte offset of `text`.
pub fn line_column(text: &str, offset: usize) -> (u32, u32) {
    let before = &text[..floor_boundary(text, offset)];
    let line = before.bytes().filter(|byte| *byte == b'\n').count();
    let column = before[before.rfind('\n').map_or(0, |at| at + 1)..].chars();
    (one_based(line), one_based(column.count()))
}

/// Moves an offset back to the start of the character that holds it, and never past the end.
pub(super) fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Moves an offset forward to the end of the character that holds it, and never past the end.
pub(super) fn ceil_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset += 1;
    }
    offset
}

fn one_based(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX - 1) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_both_ways_agree() {
        let text = "one\n  é☃x\n\nlast";
        let lines = Lines::new(text);
        for (needle, expected) in [("one", (1, 1)), ("x", (2, 5)), ("last", (4, 1))] {
            let offset = text.find(needle).unwrap();
            assert_eq!(lines.line_column(offset), expected);
            assert_eq!(line_column(text, offset), expected);
        }
    }

    #[test]
    fn any_offset_has_a_place() {
        for text in ["", "é", "a\n", "\n\n☃"] {
            let lines = Lines::new(text);
            for offset in 0..text.len() + 3 {
                assert_eq!(lines.line_column(offset), line_column(text, offset));
            }
        }
    }

    #[test]
    fn a_line_ends_before_its_break() {
        let lines = Lines::new("ab\r\ncd");
        assert_eq!(
            (lines.count(), lines.range(0), lines.range(1)),
            (2, 0..2, 4..6)
        );
    }
}

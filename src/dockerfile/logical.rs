//! Instructions over all the lines that they go on for.

use std::ops::Range;

/// The lines of a text without their breaks, one at a time, with where they are.
pub(super) struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Reads a line into the range of its bytes.
    pub(super) fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        let length = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        self.at = (start + length + 1).min(self.text.len());
        let line = &rest[..length];
        Some(start..start + line.trim_end_matches('\r').len())
    }

    /// Reads an instruction into the ranges of its lines, without what makes it go on; comments and blank lines
    /// inside it are no part of it.
    pub(super) fn next_instruction(&mut self, escape: char) -> Option<Vec<Range<usize>>> {
        let mut parts: Vec<Range<usize>> = Vec::with_capacity(1);
        while let Some(line) = self.next() {
            let text = self.text[line.clone()].trim_start();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            match continued(&self.text[line.clone()], escape) {
                Some(length) => parts.push(line.start..line.start + length),
                None => {
                    parts.push(line);
                    return Some(parts);
                }
            }
        }
        (!parts.is_empty()).then_some(parts)
    }
}

/// How much of a line counts when the instruction goes on in the next one. An escaped escape character does not
/// make it go on.
fn continued(line: &str, escape: char) -> Option<usize> {
    let before = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!before.ends_with(escape)).then_some(before.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instructions(text: &str, escape: char) -> Vec<String> {
        let mut lines = Lines::new(text);
        let next = || lines.next_instruction(escape);
        std::iter::from_fn(next)
            .map(|parts| parts.into_iter().map(|part| &text[part]).collect())
            .collect()
    }

    #[test]
    fn an_instruction_goes_on_where_its_line_ends_in_the_escape_character() {
        for (text, expected) in [
            ("FROM a\nRUN b", &["FROM a", "RUN b"][..]),
            ("FROM \\\n a\r\n\n#x\nRUN b\n", &["FROM  a", "RUN b"]),
            ("RUN a \\  \n# why\n\n  b\nRUN c", &["RUN a   b", "RUN c"]),
            ("RUN a \\\\\nRUN b", &["RUN a \\\\", "RUN b"]),
            ("RUN a \\", &["RUN a "]),
            ("", &[]),
        ] {
            assert_eq!(instructions(text, '\\'), expected, "{text}");
        }
        assert_eq!(instructions("RUN a `\n b\\\nRUN c", '`').len(), 2);
    }
}

//! Tells whether any of some texts occurred in an attempt's output.

use aho_corasick::AhoCorasick;

use crate::ports::Stream;

/// Looks for texts in both streams, wherever the pieces are cut.
#[derive(Debug, Default)]
pub struct Matcher {
    patterns: Option<AhoCorasick>,
    overlap: usize,
    /// The ends of what came last, in which a text may have begun.
    tails: [Vec<u8>; 2],
    found: bool,
}

impl Matcher {
    /// Makes a matcher for these texts; empty ones are left out.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Matcher {
        let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        let longest = texts.iter().map(|text| text.len()).max();
        Matcher {
            overlap: longest.unwrap_or(1) - 1,
            patterns: longest.and_then(|_| AhoCorasick::new(&texts).ok()),
            ..Matcher::default()
        }
    }

    /// Says whether any of the texts occurred so far.
    pub fn found(&self) -> bool {
        self.found
    }

    /// Says whether there is anything to look for.
    pub fn is_looking(&self) -> bool {
        self.patterns.is_some() && !self.found
    }

    /// Looks at what a stream brought next.
    pub fn feed(&mut self, stream: Stream, bytes: &[u8]) {
        let Some(patterns) = self.patterns.as_ref().filter(|_| !self.found) else {
            return;
        };
        let tail = &mut self.tails[stream as usize];
        // What spans the border lies within `overlap` bytes on either side of it.
        tail.extend_from_slice(&bytes[..bytes.len().min(self.overlap)]);
        self.found = patterns.is_match(&*tail) || patterns.is_match(bytes);
        if bytes.len() > self.overlap {
            tail.clear();
            tail.extend_from_slice(&bytes[bytes.len() - self.overlap..]);
        } else {
            tail.drain(..tail.len().saturating_sub(self.overlap));
        }
    }

    /// Forgets the ends of the streams, which begin again.
    pub(super) fn rewind(&mut self) {
        self.tails.iter_mut().for_each(Vec::clear);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(texts: &[&str], pieces: &[(Stream, &str)]) -> bool {
        let mut matcher = Matcher::new(texts.iter().copied());
        for (stream, piece) in pieces {
            matcher.feed(*stream, piece.as_bytes());
        }
        matcher.found()
    }

    #[test]
    fn a_text_is_found_wherever_the_pieces_are_cut() {
        let text = "one connection refused, two";
        for size in 1..=text.len() {
            let pieces: Vec<_> = text.as_bytes().chunks(size).collect();
            let pieces: Vec<_> = pieces
                .iter()
                .map(|piece| (Stream::Stderr, std::str::from_utf8(piece).unwrap()))
                .collect();
            assert!(found(&["refused", "timeout"], &pieces), "by {size}");
            assert!(!found(&["refuse two"], &pieces), "by {size}");
        }
    }

    #[test]
    fn the_two_streams_do_not_mix() {
        let pieces = [(Stream::Stdout, "time"), (Stream::Stderr, "out")];
        assert!(!found(&["timeout"], &pieces));
        assert!(found(&["timeout", "out"], &pieces));
    }

    #[test]
    fn nothing_to_look_for_is_never_found() {
        assert!(!found(&[], &[(Stream::Stdout, "text")]));
        assert!(!found(&[""], &[(Stream::Stdout, "text")]));
        assert!(!Matcher::new([]).is_looking());
    }
}

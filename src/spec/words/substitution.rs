//! Finds where a `$(…)` or a `${…}` ends.

/// After so many that never end, all others are taken as text: looking for each end anew could take for ever.
const MOST_FAILURES: u32 = 16;

/// Finds ends in one text.
pub(super) struct Finder<'t> {
    text: &'t str,
    failures: u32,
}

impl<'t> Finder<'t> {
    /// Makes a finder for `text`.
    pub fn new(text: &'t str) -> Self {
        Self { text, failures: 0 }
    }

    /// Finds the byte after the `)` that closes a `$(` whose inside starts at `from`.
    pub fn parenthesised(&mut self, from: usize) -> Option<usize> {
        self.find(from, Some(b'('), b')')
    }

    /// Finds the byte after the `}` that closes a `${` whose inside starts at `from`.
    pub fn braced(&mut self, from: usize) -> Option<usize> {
        self.find(from, None, b'}')
    }

    fn find(&mut self, from: usize, open: Option<u8>, close: u8) -> Option<usize> {
        if self.failures == MOST_FAILURES {
            return None;
        }
        let end = closing(self.text.as_bytes(), from, open, close);
        self.failures += u32::from(end.is_none());
        end
    }
}

/// Walks to the closing byte, over quotes, escapes and (where `open` says so) nested pairs.
fn closing(bytes: &[u8], from: usize, open: Option<u8>, close: u8) -> Option<usize> {
    let mut depth = 1_usize;
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\'' => at = quote_end(bytes, at + 1, b'\'')?,
            b'"' => at = quote_end(bytes, at + 1, b'"')?,
            byte if Some(*byte) == open => depth += 1,
            byte if *byte == close => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Finds the quote that closes the one before `from`; backslashes count inside double quotes only.
fn quote_end(bytes: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 1,
            byte if *byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

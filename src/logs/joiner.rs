//! Joins the pieces of one stream into lines.

/// A line longer than this is kept in parts, so that a stream without line ends needs no memory, in bytes.
const LONGEST_LINE: usize = 64 * 1024;

/// What one stream has begun and not ended.
#[derive(Default)]
pub(super) struct Joiner {
    begun: Vec<u8>,
}

impl Joiner {
    /// Takes a piece and gives its lines; the last argument of `line` says whether a line end followed.
    pub fn take(&mut self, mut piece: &[u8], mut line: impl FnMut(&[u8], bool)) {
        while let Some(end) = memchr::memchr(b'\n', piece) {
            let text = &piece[..end];
            piece = &piece[end + 1..];
            if self.begun.is_empty() {
                line(without_return(text), true);
            } else {
                self.begun.extend_from_slice(text);
                line(without_return(&self.begun), true);
                self.begun.clear();
            }
        }
        self.begun.extend_from_slice(piece);
        // Cut only where a piece ends: a writer that takes over after a crash sees the same pieces.
        if self.begun.len() >= LONGEST_LINE {
            line(&self.begun, false);
            self.begun.clear();
        }
    }

    /// Gives what was begun when the stream ended.
    pub fn finish(&mut self, mut line: impl FnMut(&[u8], bool)) {
        if !self.begun.is_empty() {
            line(&self.begun, false);
            self.begun.clear();
        }
    }
}

/// Terminals end lines with a carriage return, too.
fn without_return(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\r").unwrap_or(text)
}

//! Looks for `retryOnErrors` in an attempt's output.

use memchr::memmem::Finder;

use crate::ports::{Output, Stream};

/// Remembers whether one of some texts was written, to either stream, cut into pieces or not.
pub struct Matcher {
    wanted: Vec<Finder<'static>>,
    /// The end of what was seen of each stream, for texts that two pieces share.
    tails: [Vec<u8>; 2],
    longest: usize,
    found: bool,
}

impl Matcher {
    /// Looks for any of these; looking for none finds everything.
    pub fn new(wanted: &[String]) -> Self {
        Self {
            longest: wanted.iter().map(String::len).max().unwrap_or(0),
            wanted: wanted
                .iter()
                .map(|text| Finder::new(text.as_bytes()).into_owned())
                .collect(),
            tails: Default::default(),
            found: wanted.is_empty(),
        }
    }

    /// Looks at a piece of output.
    pub fn look(&mut self, piece: &Output) {
        if self.found {
            return;
        }
        let tail = &mut self.tails[usize::from(piece.stream == Stream::Stderr)];
        tail.extend_from_slice(&piece.bytes);
        self.found = self.wanted.iter().any(|finder| finder.find(tail).is_some());
        let keep = self.longest.saturating_sub(1).min(tail.len());
        tail.drain(..tail.len() - keep);
    }

    /// Says whether it was there.
    pub fn is_matched(&self) -> bool {
        self.found
    }
}

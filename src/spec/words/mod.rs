//! Splits a line into words as a POSIX shell does, without any shell.

mod findings;
mod scan;
mod substitution;

pub mod options;

pub(crate) use findings::operator;
pub use findings::{Line, findings};
pub use scan::split;

use crate::text::Span;

/// One word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What a program would get: quotes and escapes are gone.
    pub text: String,
    /// Where it stands in the line, with its quotes.
    pub span: Span,
}

impl Word {
    /// Finds the part of the word from byte `from` of its text on; the whole word where quotes hide the place.
    pub fn span_from(&self, from: usize) -> Span {
        if self.text.len() == self.span.end - self.span.start {
            Span::new(self.span.start + from, self.span.end)
        } else {
            self.span
        }
    }
}

/// Something an ACR agent's shell would have replaced, which is kept as written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expansion {
    /// Where it stands in the line.
    pub span: Span,
    /// The index of its word.
    pub word: usize,
}

/// Why the last word has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// A quote is never closed; holds the quote.
    Quote(char),
    /// A backslash is the last character.
    Backslash,
}

/// A line, split.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// The words, in order.
    pub words: Vec<Word>,
    /// The first unquoted operator, where there is one; it separates words.
    pub operator: Option<Span>,
    /// What a shell would have expanded.
    pub expansions: Vec<Expansion>,
    /// The comments, each from its `#` to the end of its line; they are no words.
    pub comments: Vec<Span>,
    /// What is not closed, and where it was opened; the open word is kept.
    pub broken: Option<(Span, Broken)>,
}

impl Words {
    /// The words up to the first operator: what stands after it belongs to another command.
    pub fn before_operator(&self) -> &[Word] {
        let end = self.operator.map_or(usize::MAX, |span| span.start);
        let is_before = |word: &&Word| word.span.start < end;
        &self.words[..self.words.iter().take_while(is_before).count()]
    }
}

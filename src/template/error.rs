//! What is wrong with a template, and where.
use std::fmt;
use std::ops::Range;

/// Tells why a template could not be rendered, with the place in its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Line of the first character concerned, from 1.
    pub line: u32,
    /// Column of the first character concerned, in characters, from 1.
    pub column: u32,
    /// Bytes of the source concerned.
    pub span: Range<usize>,
    /// What went wrong.
    pub message: String,
    /// What to try instead, where that is known.
    pub help: Option<String>,
}

impl TemplateError {
    /// Builds an error about the bytes `span` of `source`.
    pub fn at(source: &str, span: Range<usize>, fault: Fault) -> Self {
        let start = floor_boundary(source, span.start);
        let end = floor_boundary(source, span.end.max(start));
        let before = &source[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        TemplateError {
            line: before.matches('\n').count() as u32 + 1,
            column: before[line_start..].chars().count() as u32 + 1,
            span: start..end,
            message: fault.message,
            help: fault.help,
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for TemplateError {}

/// Is a fault before its place in the source is worked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What went wrong.
    pub message: String,
    /// What to try instead.
    pub help: Option<String>,
}

impl<T: Into<String>> From<T> for Fault {
    fn from(message: T) -> Self {
        Fault {
            message: message.into(),
            help: None,
        }
    }
}

/// Is a fault with the bytes of the source it is about.
#[derive(Clone, Debug)]
pub struct Located {
    /// Bytes of the source concerned.
    pub span: Range<usize>,
    /// What is wrong there.
    pub fault: Fault,
}

impl Located {
    /// Places a fault.
    pub fn new(span: Range<usize>, fault: impl Into<Fault>) -> Self {
        Located {
            span,
            fault: fault.into(),
        }
    }
}

fn floor_boundary(source: &str, index: usize) -> usize {
    let mut index = index.min(source.len());
    while !source.is_char_boundary(index) {
        index -= 1;
    }
    index
}

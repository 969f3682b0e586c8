//! What is wrong with a text, where, and what to try.

use std::ops::Range;

/// A range of bytes of a source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Span {
    /// Makes the span of the bytes `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Moves the span `by` bytes towards the end of the text.
    pub fn shifted(self, by: usize) -> Self {
        Self::new(self.start + by, self.end + by)
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// The text cannot be used.
    Error,
    /// The text can be used, but probably does not mean what was wanted.
    Warning,
}

/// Another place that a finding speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub span: Span,
    /// What it has to do with the finding.
    pub label: String,
}

/// One finding about a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub level: Level,
    /// A short word for machines, such as `unknown-key`; stable between versions.
    pub code: &'static str,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// Where it is wrong; `None` when it concerns the whole text.
    pub span: Option<Span>,
    /// What to print under the marked source.
    pub label: Option<Box<str>>,
    /// Another place that belongs to it, such as a first declaration; boxed, for most findings have none.
    pub also: Option<Box<Place>>,
    /// What to try, each a sentence.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// Makes an error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Level::Error, code, message.into())
    }

    /// Makes a warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Level::Warning, code, message.into())
    }

    fn new(level: Level, code: &'static str, message: String) -> Self {
        Self {
            level,
            code,
            message,
            span: None,
            label: None,
            also: None,
            help: Vec::new(),
        }
    }

    /// Says where.
    pub fn at(mut self, span: impl Into<Span>) -> Self {
        self.span = Some(span.into());
        self
    }

    /// Says what to print under the marked source.
    pub fn label(mut self, label: impl Into<Box<str>>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds another place that belongs to the finding.
    pub fn also(mut self, span: impl Into<Span>, label: impl Into<String>) -> Self {
        let (span, label) = (span.into(), label.into());
        self.also = Some(Box::new(Place { span, label }));
        self
    }

    /// Moves every place of the finding, for example from a part of a text into the whole.
    pub fn map_spans(mut self, to: impl Fn(Span) -> Span) -> Self {
        self.span = self.span.map(&to);
        if let Some(place) = &mut self.also {
            place.span = to(place.span);
        }
        self
    }

    /// Adds something to try.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

/// All findings about one text, in the order in which they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds a finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.items.push(diagnostic);
    }

    /// Adds all findings of another list.
    pub fn extend(&mut self, other: Diagnostics) {
        self.items.extend(other.items);
    }

    /// Says whether one of the findings is an error.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|d| d.level == Level::Error)
    }

    /// Says whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Lists the findings.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.items.iter()
    }

    /// Changes each finding in place, for example to move spans or raise warnings to errors.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Diagnostic> {
        self.items.iter_mut()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            items: vec![diagnostic],
        }
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

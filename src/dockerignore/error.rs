//! What can be wrong with an ignore pattern.

/// A pattern that docker refuses too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The line of the ignore file, from 1, where the pattern came from one.
    pub line: Option<usize>,
    /// The pattern as written.
    pub pattern: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A `!` with nothing after it.
    #[error("`!` needs a pattern after it")]
    EmptyException,
    /// A `[` without its end, or an empty or broken class.
    #[error("syntax error in pattern: a `[...]` class is empty, broken or not closed")]
    BrokenClass,
    /// A backslash at the very end.
    #[error("syntax error in pattern: nothing follows the last backslash")]
    TrailingBackslash,
    /// A form that docker's matcher passes on to its regular expressions, which refuse it.
    #[error("syntax error in pattern: {0}")]
    BadExpression(&'static str),
}

impl Error {
    pub(super) fn new(pattern: &str, fault: Fault) -> Error {
        Error {
            line: None,
            pattern: pattern.trim().to_owned(),
            fault,
        }
    }

    pub(super) fn at_line(mut self, line: usize) -> Error {
        self.line = Some(line);
        self
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "illegal pattern \"{}\": {}", self.pattern, self.fault)
    }
}

impl std::error::Error for Error {}

//! Source positions, diagnostics and shell words: what every reader of text shares.

mod diagnostic;

pub use diagnostic::{Diagnostic, Diagnostics, Level, Span};

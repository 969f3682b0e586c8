//! Source positions, diagnostics and shell words: what every reader of text shares.

mod diagnostic;
mod lines;
mod report;
mod suggest;

pub use diagnostic::{Diagnostic, Diagnostics, Level, Place, Span};
pub use lines::{Lines, line_column};
pub use report::{Source, render, to_json};
pub use suggest::did_you_mean;

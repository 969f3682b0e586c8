//! Go text/template with the sprig functions, bounded in time and space.
//!
//! A source goes through `lexer`, `parser` and `eval`; `functions` holds what a template may call, `print` is Go's
//! `fmt`, and `value` what both compute with. Nothing here reads a clock, a file or the environment: time and
//! randomness are handed in as [`Draws`].
mod dates;
mod draws;
mod error;
mod eval;
mod functions;
mod lexer;
mod limits;
mod parser;
mod print;
mod semver;
mod value;

pub use draws::Draws;
pub use error::TemplateError;
pub use eval::Rendered;
pub use limits::Limits;
pub use value::Value;

/// Renders a template: the same source, data and draws always give the same text.
pub fn render(
    source: &str,
    data: &Value,
    draws: &Draws,
    limits: &Limits,
) -> Result<Rendered, TemplateError> {
    let placed = |located: error::Located| TemplateError::at(source, located.span, located.fault);
    let template = parser::parse(source, limits).map_err(placed)?;
    eval::run(source, &template, data, draws, limits).map_err(placed)
}

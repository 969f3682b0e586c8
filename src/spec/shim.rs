//! Stands in for the template module until it is there.

/// Stands in for `crate::template`.
pub mod template {
    use chrono::{DateTime, Utc};
    use std::ops::Range;

    /// A rendered text.
    #[derive(Debug, Clone)]
    pub struct Rendered {
        /// The text.
        pub text: String,
        /// For each line of it, the line of the source that its first byte came from, from 1.
        pub lines: Vec<u32>,
    }

    /// Why a text could not be rendered.
    #[derive(Debug, Clone)]
    pub struct TemplateError {
        /// The line, from 1.
        pub line: u32,
        /// The column, from 1.
        pub column: u32,
        /// The bytes.
        pub span: Range<usize>,
        /// What is wrong.
        pub message: String,
        /// What to try.
        pub help: Option<String>,
    }

    /// Bounds of a rendering.
    #[derive(Debug, Clone, Default)]
    pub struct Limits {}

    /// What a rendering draws from outside.
    #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
    pub struct Draws {
        /// The time.
        pub now: DateTime<Utc>,
        /// The seed of random functions.
        pub seed: [u8; 32],
    }

    /// A value.
    #[derive(Debug, Clone)]
    pub struct Value(serde_json::Value);

    impl From<serde_json::Value> for Value {
        fn from(value: serde_json::Value) -> Self {
            Value(value)
        }
    }

    /// Renders `{{.A.B}}` and `{{"text"}}` only.
    pub fn render(
        source: &str,
        data: &Value,
        _draws: &Draws,
        _limits: &Limits,
    ) -> Result<Rendered, TemplateError> {
        let (mut text, mut lines, mut line, mut at) = (String::new(), vec![1], 1, 0);
        while at < source.len() {
            let rest = &source[at..];
            let (piece, length) = match rest.strip_prefix("{{") {
                Some(action) => {
                    let error = || TemplateError {
                        line,
                        column: 1,
                        span: at..at + 2,
                        message: "bad action".to_owned(),
                        help: None,
                    };
                    let end = action.find("}}").ok_or_else(error)?;
                    (
                        value(&data.0, action[..end].trim()).ok_or_else(error)?,
                        end + 4,
                    )
                }
                None => {
                    let end = rest.find("{{").unwrap_or(rest.len());
                    (rest[..end].to_owned(), end)
                }
            };
            for c in piece.chars() {
                text.push(c);
                if rest.starts_with("{{") {
                    lines.extend((c == '\n').then_some(line));
                } else if c == '\n' {
                    line += 1;
                    lines.push(line);
                }
            }
            at += length;
        }
        Ok(Rendered { text, lines })
    }

    fn value(data: &serde_json::Value, action: &str) -> Option<String> {
        if let Some(text) = action.strip_prefix('"') {
            return Some(text.trim_end_matches('"').to_owned());
        }
        let path = action.strip_prefix('.')?.replace('.', "/");
        Some(match data.pointer(&format!("/{path}")) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => "<no value>".to_owned(),
        })
    }
}

//! Stands in for the template and YAML modules until they are there.

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
    #[derive(Debug, Clone, Default)]
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

/// Stands in for `crate::text::Lines`.
pub mod lines {
    /// The lines of a text.
    pub struct Lines<'a> {
        text: &'a str,
        starts: Vec<usize>,
    }

    impl<'a> Lines<'a> {
        /// Finds the lines of `text`.
        pub fn new(text: &'a str) -> Self {
            let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1));
            Self {
                text,
                starts: starts.collect(),
            }
        }

        /// Counts the lines.
        pub fn count(&self) -> usize {
            self.starts.len()
        }

        /// Gives the 0-based number of the line that holds a byte.
        pub fn line_of(&self, offset: usize) -> usize {
            self.starts.partition_point(|start| *start <= offset) - 1
        }

        /// Gives where a 0-based line begins and ends.
        pub fn range(&self, line: usize) -> std::ops::Range<usize> {
            let end = self
                .starts
                .get(line + 1)
                .map_or(self.text.len(), |next| next - 1);
            self.starts[line]..end
        }
    }
}

/// Stands in for `crate::yaml`.
pub mod yaml {
    use crate::text::{Diagnostic, Diagnostics, Span};
    use serde_json::Value;

    /// A key and its value.
    pub struct Pair {
        /// The key.
        pub key: Node,
        /// The value.
        pub value: Node,
    }

    /// What a node is.
    pub enum Kind {
        /// A text.
        Scalar(Option<String>),
        /// A list.
        Sequence(Vec<Node>),
        /// A map.
        Mapping(Vec<Pair>),
        /// Something whose error has been reported.
        Broken,
    }

    /// A node of the tree.
    pub struct Node {
        /// Where it is.
        pub span: Span,
        /// What it is.
        pub kind: Kind,
    }

    impl Node {
        /// Reads a text.
        pub fn as_text(&self) -> Result<std::borrow::Cow<'_, str>, ()> {
            match &self.kind {
                Kind::Scalar(text) => Ok(text.as_deref().unwrap_or_default().into()),
                _ => Err(()),
            }
        }

        /// Says whether it is nothing.
        pub fn is_null(&self) -> bool {
            matches!(self.kind, Kind::Scalar(None))
        }

        /// Says what it is.
        pub fn describe(&self) -> String {
            "something else".to_owned()
        }
    }

    /// Reads a text without a known shape.
    pub fn read_value(text: &str) -> Result<Value, Diagnostics> {
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_yaml::from_str(text)
            .map_err(|e| Diagnostic::error("yaml", e.to_string()).at(0..0).into())
    }

    /// Reads a text into a tree.
    pub fn compose(text: &str) -> (Option<Node>, Diagnostics) {
        match read_value(text) {
            Ok(value) => (Some(node(value)), Diagnostics::default()),
            Err(found) => (None, found),
        }
    }

    fn node(value: Value) -> Node {
        let span = Span::new(0, 0);
        let kind = match value {
            Value::Null => Kind::Scalar(None),
            Value::String(text) => Kind::Scalar(Some(text)),
            Value::Array(items) => Kind::Sequence(items.into_iter().map(node).collect()),
            Value::Object(map) => Kind::Mapping(
                map.into_iter()
                    .map(|(key, value)| Pair {
                        key: node(key.into()),
                        value: node(value),
                    })
                    .collect(),
            ),
            other => Kind::Scalar(Some(other.to_string())),
        };
        Node { span, kind }
    }
}

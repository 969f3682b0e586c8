//! Reads values for fields whose type is known, accepting and refusing what yaml.v2 does.

use super::{BadTag, Kind, Node, Scalar};
use std::borrow::Cow;

/// A whole number that a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integer {
    /// The number.
    pub value: i64,
    /// Whether a fraction was cut off to get it.
    pub is_truncated: bool,
}

/// A value that a field cannot hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What stands there instead, such as "a list" or "the text `x`".
    pub found: String,
}

impl Node {
    /// Reads a text: any scalar as it is written, nothing as an empty text.
    pub fn as_text(&self) -> Result<Cow<'_, str>, Mismatch> {
        match (self.meaning()?, &self.kind) {
            (Scalar::Null, _) => Ok(Cow::Borrowed("")),
            (Scalar::Bytes(bytes), _) => Ok(String::from_utf8_lossy(&bytes).into_owned().into()),
            (_, Kind::Scalar { text, .. }) => Ok(Cow::Borrowed(text)),
            (scalar, _) => Err(mismatch(describe(&scalar))),
        }
    }

    /// Reads a whole number; nothing is 0, a fraction is cut off, a quoted number is refused.
    pub fn as_integer(&self) -> Result<Integer, Mismatch> {
        let exact = |value| Integer {
            value,
            is_truncated: false,
        };
        match self.meaning()? {
            Scalar::Null => Ok(exact(0)),
            Scalar::Int(value) => Ok(exact(value)),
            // Only what fits is cut off: above this the conversion would invent a number.
            Scalar::Float(value) if value.abs() < 9.2e18 => Ok(Integer {
                value: value as i64,
                is_truncated: value.fract() != 0.0,
            }),
            other => Err(mismatch(describe(&other))),
        }
    }

    /// Reads a boolean; nothing is false, a quoted word is refused.
    pub fn as_bool(&self) -> Result<bool, Mismatch> {
        match self.meaning()? {
            Scalar::Null => Ok(false),
            Scalar::Bool(value) => Ok(value),
            other => Err(mismatch(describe(&other))),
        }
    }

    /// Says whether the node is nothing: empty, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.resolve(), Some(Ok(Scalar::Null)))
    }

    /// Says in a few words what the node is.
    pub fn describe(&self) -> String {
        match (&self.kind, self.resolve()) {
            (Kind::Sequence(_), _) => "a list".to_owned(),
            (Kind::Mapping(_), _) => "a map".to_owned(),
            (_, Some(Ok(scalar))) => describe(&scalar),
            (_, Some(Err(BadTag(tag)))) => format!("a value that is no `{}`", tag.word()),
            (_, None) => "something unreadable".to_owned(),
        }
    }

    fn meaning(&self) -> Result<Scalar<'_>, Mismatch> {
        match self.resolve() {
            Some(Ok(scalar)) => Ok(scalar),
            Some(Err(_)) | None => Err(mismatch(self.describe())),
        }
    }
}

fn mismatch(found: String) -> Mismatch {
    Mismatch { found }
}

fn describe(scalar: &Scalar<'_>) -> String {
    match scalar {
        Scalar::Null => "nothing".to_owned(),
        Scalar::Bool(value) => format!("the boolean {value}"),
        Scalar::Int(value) => format!("the number {value}"),
        Scalar::Unsigned(value) => format!("the number {value}"),
        Scalar::Float(value) => format!("the number {value}"),
        Scalar::Text(text) => format!("the text `{}`", shortened(text)),
        Scalar::Bytes(_) => "binary data".to_owned(),
    }
}

/// Cuts a text to a length that fits into a message.
fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::yaml::{Kind, Node, compose};

    /// Reads the value of `a: TEXT`.
    fn value(text: &str) -> Node {
        let (root, _) = compose(&format!("a: {text}"));
        let Kind::Mapping(mut pairs) = root.unwrap().kind else {
            panic!("not a map");
        };
        pairs.remove(0).value
    }

    #[test]
    fn a_text_is_what_is_written() {
        for (text, expected) in [
            ("1.0", "1.0"),
            ("yes", "yes"),
            ("010", "010"),
            ("~", ""),
            ("", ""),
            ("'null'", "null"),
            ("!!binary aGk=", "hi"),
            ("!!int '3'", "3"),
        ] {
            assert_eq!(value(text).as_text().as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(value("[a]").as_text().unwrap_err().found, "a list");
        assert_eq!(value("{a: b}").as_text().unwrap_err().found, "a map");
        assert_eq!(
            value("!!int x").as_text().unwrap_err().found,
            "a value that is no `!!int`"
        );
    }

    #[test]
    fn a_whole_number_may_lose_its_fraction_but_not_its_quotes() {
        for (text, expected, is_truncated) in [
            ("010", 8, false),
            ("1e3", 1000, false),
            ("3.0", 3, false),
            ("-1.5", -1, true),
            ("~", 0, false),
        ] {
            let read = value(text).as_integer().unwrap();
            assert_eq!(
                (read.value, read.is_truncated),
                (expected, is_truncated),
                "{text}"
            );
        }
        for text in [
            "'3'",
            "yes",
            ".nan",
            ".inf",
            "1e19",
            "18446744073709551615",
            "[1]",
            "x",
        ] {
            assert!(value(text).as_integer().is_err(), "{text}");
        }
    }

    #[test]
    fn a_boolean_is_a_bare_word() {
        for (text, expected) in [
            ("y", true),
            ("Off", false),
            ("~", false),
            ("!!bool 'on'", true),
        ] {
            assert_eq!(value(text).as_bool(), Ok(expected), "{text}");
        }
        for text in ["'yes'", "1", "0", "tRUE", "{}"] {
            assert!(value(text).as_bool().is_err(), "{text}");
        }
    }

    #[test]
    fn long_texts_are_described_shortly() {
        let found = value(&"é".repeat(100)).as_bool().unwrap_err().found;
        assert_eq!(found, format!("the text `{}…`", "é".repeat(40)));
    }
}

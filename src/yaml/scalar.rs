//! What a scalar means where no type is wanted: yaml.v2's rules.

use super::{Kind, Node, Style, Tag, number};
use base64::{Engine, engine::general_purpose::STANDARD};

/// A scalar with its meaning.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'a> {
    /// Nothing, `~` or `null`.
    Null,
    /// `yes`, `on`, `true`, `y` and their opposites.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number that needs all 64 bits.
    Unsigned(u64),
    /// A number with a fraction or an exponent, or one too large for a whole number.
    Float(f64),
    /// Text.
    Text(&'a str),
    /// The bytes of a `!!binary`.
    Bytes(Vec<u8>),
}

/// A tag that does not fit the text under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadTag(pub Tag);

impl Node {
    /// Gives the meaning of a scalar where no type is wanted; lists and maps have none.
    pub fn resolve(&self) -> Option<Result<Scalar<'_>, BadTag>> {
        let Kind::Scalar { text, style } = &self.kind else {
            return None;
        };
        Some(match (self.tag, style) {
            (None, Style::Plain) => Ok(untagged(text)),
            (None, _) | (Some(Tag::Str | Tag::Other | Tag::Merge), _) => Ok(Scalar::Text(text)),
            (Some(Tag::Binary), _) => bytes(text),
            (Some(tag), _) => tagged(tag, text),
        })
    }
}

/// Gives the meaning of a plain scalar.
fn untagged(text: &str) -> Scalar<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
            number::read(text).unwrap_or(Scalar::Text(text))
        }
        _ => Scalar::Text(text),
    }
}

/// Gives the meaning of a scalar under a tag that wants a certain type.
fn tagged(tag: Tag, text: &str) -> Result<Scalar<'_>, BadTag> {
    match (tag, untagged(text)) {
        (Tag::Null, Scalar::Null) => Ok(Scalar::Null),
        (Tag::Bool, found @ Scalar::Bool(_)) => Ok(found),
        (Tag::Int, found @ (Scalar::Int(_) | Scalar::Unsigned(_))) => Ok(found),
        (Tag::Float, found @ Scalar::Float(_)) => Ok(found),
        (Tag::Float, Scalar::Int(value)) => Ok(Scalar::Float(value as f64)),
        (Tag::Timestamp, Scalar::Text(text)) if is_date(text) => Ok(Scalar::Text(text)),
        _ => Err(BadTag(tag)),
    }
}

/// Says whether a text begins like a date; what follows the day is left to whoever uses it.
fn is_date(text: &str) -> bool {
    let mut parts = text
        .splitn(3, '-')
        .map(|part| part.bytes().take_while(u8::is_ascii_digit).count());
    parts.next() == Some(4) && parts.next() > Some(0) && parts.next() > Some(0)
}

/// Decodes a `!!binary`, which may be broken into lines.
fn bytes(text: &str) -> Result<Scalar<'_>, BadTag> {
    let joined: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    let decoded = STANDARD.decode(joined);
    decoded.map(Scalar::Bytes).map_err(|_| BadTag(Tag::Binary))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;

    fn resolve(tag: Option<Tag>, style: Style, text: &str) -> Result<Scalar<'static>, BadTag> {
        let kind = Kind::Scalar {
            text: text.to_owned(),
            style,
        };
        let node = Node {
            span: Span::new(0, 0),
            tag,
            kind,
        };
        let meaning = node.resolve().unwrap();
        meaning.map(|scalar| match scalar {
            Scalar::Text(text) => Scalar::Text(text.to_owned().leak()),
            Scalar::Bytes(bytes) => Scalar::Bytes(bytes),
            Scalar::Null => Scalar::Null,
            Scalar::Bool(value) => Scalar::Bool(value),
            Scalar::Int(value) => Scalar::Int(value),
            Scalar::Unsigned(value) => Scalar::Unsigned(value),
            Scalar::Float(value) => Scalar::Float(value),
        })
    }

    #[test]
    fn a_quoted_scalar_is_text_unless_its_tag_says_otherwise() {
        let quoted = Style::DoubleQuoted;
        assert_eq!(resolve(None, quoted, "yes"), Ok(Scalar::Text("yes")));
        assert_eq!(resolve(Some(Tag::Int), quoted, "3"), Ok(Scalar::Int(3)));
        assert_eq!(resolve(Some(Tag::Null), quoted, ""), Ok(Scalar::Null));
        assert_eq!(
            resolve(Some(Tag::Other), Style::Plain, "5"),
            Ok(Scalar::Text("5"))
        );
    }

    #[test]
    fn a_tag_that_does_not_fit_is_an_error() {
        for (tag, text) in [
            (Tag::Int, "x"),
            (Tag::Int, "3.0"),
            (Tag::Bool, "1"),
            (Tag::Null, "0"),
            (Tag::Float, "x"),
            (Tag::Timestamp, "5"),
            (Tag::Timestamp, "soon"),
            (Tag::Binary, "*"),
        ] {
            assert_eq!(
                resolve(Some(tag), Style::Plain, text),
                Err(BadTag(tag)),
                "{tag:?} {text}"
            );
        }
    }

    #[test]
    fn binary_is_decoded_and_a_date_stays_text() {
        let decoded = resolve(Some(Tag::Binary), Style::Literal, "aGVs\nbG8=\n");
        assert_eq!(decoded, Ok(Scalar::Bytes(b"hello".to_vec())));
        let date = resolve(Some(Tag::Timestamp), Style::Plain, "2001-1-1");
        assert_eq!(date, Ok(Scalar::Text("2001-1-1")));
        assert_eq!(
            resolve(Some(Tag::Float), Style::Plain, "3"),
            Ok(Scalar::Float(3.0))
        );
    }
}

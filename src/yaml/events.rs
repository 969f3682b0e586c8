//! The parser's events, in our own words.

use super::node::{Kind, Node, Style, Tag};
use super::syntax;
use crate::text::{Diagnostic, Span};
use granit_parser::{Event, Parser, ScalarStyle, StrInput, StructureStyle};
use std::borrow::Cow;

/// Maps and lists may stand in each other this deep.
pub(super) const DEEPEST: usize = 64;

/// Why a tree cannot be continued.
pub(super) enum Stop {
    /// The text is not YAML.
    Syntax(Box<Diagnostic>),
    /// The document is complete, but more text follows.
    Trailing(Span),
}

impl From<Diagnostic> for Stop {
    fn from(finding: Diagnostic) -> Self {
        Stop::Syntax(Box::new(finding))
    }
}

/// A stream of events.
pub(super) struct Events<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    twin: Option<Parser<'a, StrInput<'a>>>,
}

impl<'a> Events<'a> {
    /// Begins to read a text, which may have been masked.
    pub fn new(masked: &'a Masked<'a>) -> Self {
        Self {
            text: &masked.text,
            parser: parser(&masked.text),
            twin: masked.twin.as_deref().map(parser),
        }
    }

    /// Reads the next event.
    pub fn next(&mut self) -> Result<(Event<'a>, Span), Stop> {
        let twin = self.twin.as_mut().and_then(Parser::next_event);
        match self.parser.next_event() {
            Some(Ok((mut event, span))) => {
                if let Some(Ok((twin, _))) = twin {
                    unmask(&mut event, &twin);
                }
                Ok((event, span.byte_range().unwrap_or_default().into()))
            }
            Some(Err(error)) => Err(syntax::explain(&error)),
            None => {
                let end = self.text.len();
                Ok((Event::StreamEnd, Span::new(end, end)))
            }
        }
    }
}

fn parser(text: &str) -> Parser<'_, StrInput<'_>> {
    let mut options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    options.set_emit_comments(false);
    Parser::new_from_str_with_options(text, options)
}

/// A text in which each lone `-` that a comma or bracket follows is hidden, as in `when: [-]`: yaml.v2 reads it as
/// text, our parser would refuse it. There are two copies with two masks, for where they differ a `-` was.
pub(super) struct Masked<'a> {
    text: Cow<'a, str>,
    twin: Option<String>,
}

/// Hides the lone dashes; offsets stay what they are.
pub(super) fn mask(text: &str) -> Masked<'_> {
    let bytes = text.as_bytes();
    let is_lone = |at: usize| {
        let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
        let after = bytes.get(at + 1).copied().unwrap_or(b' ');
        b" \t\r\n[{,".contains(&before) && b",[]{}".contains(&after)
    };
    let dashes = text.match_indices('-').map(|(at, _)| at);
    let lone: Vec<usize> = dashes.filter(|at| is_lone(*at)).collect();
    let hidden_by = |mask: char| {
        let mut masked = String::with_capacity(text.len());
        for at in &lone {
            masked.push_str(&text[masked.len()..*at]);
            masked.push(mask);
        }
        masked.push_str(&text[masked.len()..]);
        masked
    };
    if lone.is_empty() {
        let text = Cow::Borrowed(text);
        return Masked { text, twin: None };
    }
    Masked {
        text: Cow::Owned(hidden_by('x')),
        twin: Some(hidden_by('y')),
    }
}

fn unmask(event: &mut Event<'_>, twin: &Event<'_>) {
    let (Event::Scalar(text, ..), Event::Scalar(other, ..)) = (event, twin) else {
        return;
    };
    if text != other {
        let pairs = text.chars().zip(other.chars());
        let restored = pairs.map(|(one, other)| if one == other { one } else { '-' });
        *text = Cow::Owned(restored.collect());
    }
}

/// Makes the node of a scalar event.
pub(super) fn scalar(
    source: &str,
    span: Span,
    (text, style): (Cow<'_, str>, ScalarStyle),
    tag: Option<&granit_parser::Tag>,
) -> Node {
    let mut text = text.into_owned();
    if style == ScalarStyle::Plain && span.start == span.end {
        // What is not there at all comes as "~".
        text.clear();
    }
    let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
    // At the end of the source a last line without a line break is read without one.
    let last_line = source.rsplit('\n').next().unwrap_or_default();
    if is_block && span.end >= source.len() && !last_line.trim().is_empty() {
        text.truncate(text.strip_suffix('\n').unwrap_or(&text).len());
    }
    // A block scalar's range runs on into the indentation of the next line.
    let written = source.get(span.start..span.end).unwrap_or_default();
    let span = Span::new(span.start, span.start + written.trim_end().len());
    let style = match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    };
    Node {
        span,
        tag: tag.map(tag_of),
        kind: Kind::Scalar { text, style },
    }
}

/// Gives the span of a collection: its brackets, or all its items.
pub(super) fn around(
    style: StructureStyle,
    start: Span,
    end: Span,
    ends: (Option<&Node>, Option<&Node>),
) -> Span {
    match ends {
        (Some(first), Some(last)) if style == StructureStyle::Block => {
            let from = first.span.start.min(start.start);
            // An alias stands elsewhere.
            Span::new(from, last.span.end.max(first.span.end).max(from))
        }
        _ => Span::new(start.start, end.end.max(start.end)),
    }
}

fn tag_of(tag: &granit_parser::Tag) -> Tag {
    match tag.suffix_in_namespace("tag:yaml.org,2002:").as_deref() {
        Some("null") => Tag::Null,
        Some("bool") => Tag::Bool,
        Some("int") => Tag::Int,
        Some("float") => Tag::Float,
        Some("str") => Tag::Str,
        Some("binary") => Tag::Binary,
        Some("timestamp") => Tag::Timestamp,
        Some("merge") => Tag::Merge,
        _ => Tag::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::compose;

    #[test]
    fn only_a_lone_dash_is_masked() {
        for text in [
            "a: -1",
            "- [a-, -x]",
            "--- [a]",
            "a -b",
            "- - x",
            "[*a-, b]",
        ] {
            assert!(mask(text).twin.is_none(), "{text}");
        }
        let masked = mask("[-, a -] {x: -}");
        assert_eq!(masked.text, "[x, a x] {x: x}");
        assert_eq!(masked.twin.as_deref(), Some("[y, a y] {x: y}"));
    }

    #[test]
    fn a_lone_dash_in_brackets_is_text() {
        for (text, expected) in [
            ("[-]", vec!["-"]),
            ("[-, b]", vec!["-", "b"]),
            ("[' -]', \"[-, x\"]", vec![" -]", "[-, x"]),
            ("- |\n  x [-]\n- -,\n", vec!["x [-]\n", "-,"]),
        ] {
            let (root, findings) = compose(text);
            assert!(findings.is_empty(), "{text} {findings:?}");
            let Kind::Sequence(items) = root.unwrap().kind else {
                panic!("no list")
            };
            let texts: Vec<_> = items.iter().map(|item| item.scalar().unwrap().0).collect();
            assert_eq!(texts, expected, "{text}");
        }
    }
}

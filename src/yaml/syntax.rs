//! Words for what is wrong with a YAML text, and what to try.

use super::codes;
use super::events::Stop;
use crate::text::{Diagnostic, Span};
use granit_parser::{ErrorKind, ScanError};

/// Turns an error of the parser into the reason to stop.
pub(super) fn explain(error: &ScanError) -> Stop {
    let at = error.marker().byte_offset().unwrap_or_default();
    if matches!(error.kind(), ErrorKind::ExpectedDocumentStart) {
        return Stop::Trailing(Span::new(at, at + 1));
    }
    let (message, help) = words(error.kind());
    let finding = Diagnostic::error(codes::SYNTAX, message).at(at..at + 1);
    match help {
        "" => finding.into(),
        help => finding.help(help).into(),
    }
}

const QUOTE_IT: &str = "put quotes around the text if it is meant to be text";
const ALIGN: &str = "give all keys of a map, and all dashes of a list, the same indentation";
const CLOSE: &str =
    "close every `[` with `]` and every `{` with `}`, with commas between the entries";
const ESCAPES: &str = "write a backslash twice, or use single quotes, in which it has no meaning";

/// Gives the message and the help for a kind of error.
fn words(kind: &ErrorKind) -> (String, &'static str) {
    match kind {
        ErrorKind::UnexpectedCharacter { character } => {
            let shown = character.escape_debug();
            (
                format!("a value cannot begin with the character `{shown}`"),
                QUOTE_IT,
            )
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            (format!("`{open}` is closed by `{close}`"), CLOSE)
        }
        ErrorKind::UnclosedFlowCollection { open } => (format!("`{open}` is never closed"), CLOSE),
        kind => {
            let known = layout(kind)
                .or_else(|| brackets(kind))
                .or_else(|| texts(kind));
            let (message, help) = known.unwrap_or(("this is not valid YAML", ""));
            (message.to_owned(), help)
        }
    }
}

/// Words about indentation, and about what may stand where.
fn layout(kind: &ErrorKind) -> Option<(&'static str, &'static str)> {
    use ErrorKind as K;
    Some(match kind {
        K::MappingValueNotAllowed | K::InvalidColonPlacement | K::InvalidMappingValueWhitespace => {
            (
                "a map cannot begin here: there is a `: ` too many, or the indentation is off",
                "quote a text that contains `: `; or a key above lacks its `:` and the blank behind it",
            )
        }
        K::MappingKeyNotAllowed => ("a `?` key cannot begin here", QUOTE_IT),
        K::BlockSequenceEntryNotAllowed | K::BlockEntryInFlowCollection => (
            "a list cannot begin here",
            "begin the list on its own line, or write it as `[a, b]`",
        ),
        K::TabNotAllowed
        | K::TabInPlainScalar
        | K::TabInBlockIndentation
        | K::TabInIndentation
        | K::TabAtBlockScalarStart => ("a tab cannot indent", "indent with spaces"),
        K::SimpleKeyExpected | K::InvalidSimpleKey => (
            "this line is no `key: value`",
            "write a `:` and a blank after the key, or indent the line if it continues the value above",
        ),
        K::ExpectedBlockMappingKey | K::ExpectedBlockSequenceEntry | K::InvalidIndentation => {
            ("the indentation does not fit the lines above", ALIGN)
        }
        K::RecursionLimitExceeded => ("maps and lists are nested too deep", ""),
        _ => return None,
    })
}

/// Words about lists and maps in brackets.
fn brackets(kind: &ErrorKind) -> Option<(&'static str, &'static str)> {
    use ErrorKind as K;
    Some(match kind {
        K::MisplacedFlowCollectionEnd => ("a closing bracket too many", CLOSE),
        K::ExpectedFlowMappingSeparator => ("expected `,` or `}`", CLOSE),
        K::ExpectedFlowSequenceSeparator => ("expected `,` or `]`", CLOSE),
        K::ExpectedNodeContent => ("expected a value", CLOSE),
        K::UnexpectedEof | K::UnexpectedEofFlowMapping | K::UnexpectedEofFlowSequence => {
            ("the text ends too early", CLOSE)
        }
        _ => return None,
    })
}

/// Words about quoted texts, blocks, tags and comments.
fn texts(kind: &ErrorKind) -> Option<(&'static str, &'static str)> {
    use ErrorKind as K;
    Some(match kind {
        K::UnclosedQuotedScalar => (
            "the quotation mark is never closed",
            "close it with the same mark",
        ),
        K::InvalidQuotedScalarIndent => (
            "the quotation mark is not closed before this line, which is indented too little to continue the text",
            "close it with the same mark, or indent the lines of the text",
        ),
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => (
            "text follows a closing quotation mark",
            "put the whole value into one pair of quotes; inside single quotes write `''` for one `'`",
        ),
        K::UnknownQuotedScalarEscape => ("no such escape in double quotes", ESCAPES),
        K::InvalidQuotedScalarHexEscape => ("the escape needs more hexadecimal digits", ESCAPES),
        K::MissingLowSurrogate
        | K::UnpairedLowSurrogate
        | K::InvalidLowSurrogate
        | K::InvalidUnicodeEscape => ("this escape names no character", ESCAPES),
        K::InvalidBlockScalarIndent => (
            "a line of the block is indented less than its first line",
            ALIGN,
        ),
        K::InvalidBlockScalarHeader => (
            "text follows `|` or `>`",
            "begin the block on the next line",
        ),
        K::MissingAnchorOrAliasName => ("a name must follow `&` or `*`", QUOTE_IT),
        K::UndeclaredTagHandle => ("unknown tag", QUOTE_IT),
        K::CommentNotSeparated => ("a comment needs a blank before its `#`", QUOTE_IT),
        K::CommentInterceptedScalar => (
            "a comment stands in the middle of a text of several lines",
            "put quotes around the text if the `#` is part of it",
        ),
        _ => return None,
    })
}

/// Says that an alias names no anchor above it.
pub(super) fn unknown_anchor(name: &str) -> Diagnostic {
    Diagnostic::error(codes::SYNTAX, format!("unknown anchor `{name}`"))
        .help(format!(
            "write `&{name}` before the value that is meant, above this line"
        ))
        .help("put quotes around the text if the `*` is meant to be text")
}

/// Says that an alias stands inside its own anchor.
pub(super) fn contains_itself() -> Diagnostic {
    Diagnostic::error(codes::SYNTAX, "the value of this anchor contains itself")
}

/// Says that aliases stand for too much.
pub(super) fn too_many_aliases() -> Diagnostic {
    Diagnostic::error(codes::SYNTAX, "the text contains excessive aliasing")
        .help("write the repeated parts out, or repeat less")
}

/// Says that the nesting is too deep.
pub(super) fn too_deep(limit: usize) -> Diagnostic {
    let message = format!("maps and lists are nested more than {limit} deep");
    Diagnostic::error(codes::SYNTAX, message)
}

/// Says that `<<` has a value that cannot be merged.
pub(super) fn merge_wants_maps() -> Diagnostic {
    Diagnostic::error(
        codes::SYNTAX,
        "map merge requires map or sequence of maps as the value",
    )
    .help("write `<<: *anchor`, where the anchor stands before a map")
}

/// Says that a `%YAML` line asks for another version.
pub(super) fn wrong_version(text: &str) -> Diagnostic {
    let at = text.find("%YAML").unwrap_or_default();
    Diagnostic::error(codes::SYNTAX, "no such version of YAML here")
        .at(at..at + 1)
        .help("leave the `%YAML` line out: task files are YAML 1.1")
}

/// Says that something unexpected stands here.
pub(super) fn unreadable() -> Diagnostic {
    Diagnostic::error(codes::SYNTAX, "this is not valid YAML")
}

/// Says that a key is a map or a list.
pub(super) fn key_is_no_scalar(text: &str, span: Span) -> Diagnostic {
    let finding = Diagnostic::error(
        codes::BAD_KEY,
        "invalid map key: a key must be a single value",
    )
    .at(span);
    if text[..span.start].ends_with('{') && text[span.start..].starts_with('{') {
        finding.help("put quotes around a value that begins with a template: \"{{…}}\"")
    } else {
        finding.help("write the key as text")
    }
}

/// Moves a span that is only a line break, or past the end, back to the last character that can be underlined.
pub(super) fn on_a_line(text: &str, span: Span) -> Span {
    let at = span.start.min(text.len());
    match text[at..].chars().next() {
        Some(character) if character != '\n' && character != '\r' => span,
        _ => {
            let before = text[..at].trim_end();
            let last = before.chars().next_back().map_or(0, char::len_utf8);
            Span::new(before.len() - last, before.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::yaml::compose;

    #[test]
    fn a_syntax_error_points_at_its_place_and_says_what_to_try() {
        for (text, at, message) in [
            ("a: `x`", 3, "a value cannot begin with the character ```"),
            (
                "a: b: c",
                4,
                "a map cannot begin here: there is a `: ` too many, or the indentation is off",
            ),
            ("a:\n\t- b", 4, "a tab cannot indent"),
            ("a: {b: 1", 3, "`{` is never closed"),
            ("a: [1, 2}", 3, "`[` is closed by `}`"),
            ("a: 'x", 3, "the quotation mark is never closed"),
            ("a: *nope", 3, "unknown anchor `nope`"),
            ("a: - b", 3, "a list cannot begin here"),
            (
                "a: {{.X}}",
                4,
                "invalid map key: a key must be a single value",
            ),
            ("a: &a [*a]", 7, "the value of this anchor contains itself"),
            (
                "<<: 5",
                4,
                "map merge requires map or sequence of maps as the value",
            ),
            ("a: \"\\q\"", 3, "no such escape in double quotes"),
        ] {
            let (_, findings) = compose(text);
            let found: Vec<_> = findings
                .iter()
                .map(|f| (f.span.unwrap().start, f.message.as_str()))
                .collect();
            assert_eq!(found, [(at, message)], "{text:?}");
        }
    }
}

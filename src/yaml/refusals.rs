//! What yaml.v2 refuses although YAML would allow it: a file that passes here must pass there.

use super::codes::SYNTAX;
use super::node::{Kind, Node, Style};
use crate::text::{Diagnostic, Span};

/// Finds the first character that may not stand in a text at all.
pub(super) fn control_character(text: &str) -> Option<Diagnostic> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let offset = text.len() - body.len();
    let (at, character) = body
        .char_indices()
        .find(|(_, character)| !is_allowed(*character))?;
    let at = offset + at;
    let message = format!(
        "control characters are not allowed: U+{:04X}",
        character as u32
    );
    let finding = Diagnostic::error(SYNTAX, message).at(at..at + character.len_utf8());
    Some(finding.help("remove the character, or write it as an escape inside double quotes"))
}

fn is_allowed(character: char) -> bool {
    matches!(character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

/// Refuses a scalar for what it contains.
pub(super) fn scalar(source: &str, node: &Node) -> Option<Diagnostic> {
    let Kind::Scalar { text, style } = &node.kind else {
        return None;
    };
    match style {
        Style::Plain => {
            let mark = text.find(['\u{85}', '\u{2028}', '\u{2029}'])?;
            let message = format!("an invisible line break stands after `{}`", &text[..mark]);
            Some(Diagnostic::error(SYNTAX, message).at(node.span))
        }
        Style::DoubleQuoted => {
            let at = node.span.start + slash_escape(source.get(node.span.start..node.span.end)?)?;
            let finding =
                Diagnostic::error(SYNTAX, "no such escape in double quotes: `\\/`").at(at..at + 2);
            Some(finding.help("write `/` alone"))
        }
        Style::SingleQuoted | Style::Literal | Style::Folded => None,
    }
}

/// Finds the escape `\/` in what stands between double quotes.
fn slash_escape(quoted: &str) -> Option<usize> {
    let bytes = quoted.as_bytes();
    let mut at = 0;
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (b'\\', b'/') => return Some(at),
            (b'\\', _) => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// Refuses a `:` without a key before it; only `? ` may begin an empty key.
pub(super) fn empty_key(source: &str, key: &Node) -> Option<Diagnostic> {
    let is_empty = key.tag.is_none() && matches!(key.scalar(), Some(("", Style::Plain)));
    let at = key.span.start;
    let is_missing =
        is_empty && source[at..].starts_with(':') && !source[..at].trim_end().ends_with('?');
    is_missing.then(|| {
        let finding = Diagnostic::error(SYNTAX, "a key is missing before `:`").at(at..at + 1);
        finding.help("write a key, or put quotes around the text if it is meant to be text")
    })
}

/// Refuses a tab before the first thing on a line, or after the dash of a list, outside of brackets.
pub(super) fn tab_indent(source: &str, node: Span) -> Option<Diagnostic> {
    let before = source[..node.start].trim_end_matches([' ', '\t']);
    let tab = before.len() + source[before.len()..node.start].find('\t')?;
    let is_indent = matches!(
        before.as_bytes().last(),
        None | Some(b'\n' | b'\r' | b'-' | b'?')
    );
    is_indent.then(|| {
        let finding = Diagnostic::error(SYNTAX, "a tab cannot indent").at(tab..tab + 1);
        finding.help("indent with spaces")
    })
}

#[cfg(test)]
mod tests {
    use crate::yaml::compose;

    #[test]
    fn what_yaml_v2_refuses_is_refused_with_its_place() {
        for (text, at, message) in [
            ("a: \u{1}", 3, "control characters are not allowed: U+0001"),
            (
                "a: x\u{feff}",
                4,
                "control characters are not allowed: U+FEFF",
            ),
            (
                "\u{feff}a: \u{7f}",
                6,
                "control characters are not allowed: U+007F",
            ),
            ("a: x\u{85}y", 3, "an invisible line break stands after `x`"),
            (
                "a: \"\\\\/ \\/\"",
                8,
                "no such escape in double quotes: `\\/`",
            ),
            (": v", 0, "a key is missing before `:`"),
            ("a: {: v}", 4, "a key is missing before `:`"),
            ("\ta: 1", 0, "a tab cannot indent"),
            ("%YAML 1.2\n---\na: 1", 0, "no such version of YAML here"),
        ] {
            let (_, findings) = compose(text);
            let found: Vec<_> = findings
                .iter()
                .map(|f| (f.span.unwrap().start, f.message.as_str()))
                .collect();
            assert_eq!(found, [(at, message)], "{text:?}");
        }
    }

    #[test]
    fn look_alikes_pass() {
        for text in [
            "\u{feff}a: é☃😀",
            "? \n: v",
            "a:\t1",
            "- [\t1]",
            "a: '\\/'",
            "a: \"\\\\/\"",
            "%YAML 1.1\n---\na: 1",
            "!!str : v",
            "a: \"x\u{2028}y\"",
        ] {
            assert_eq!(compose(text).1.iter().next(), None, "{text:?}");
        }
    }
}

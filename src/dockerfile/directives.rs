//! The comments at the top of a Dockerfile that say how to read it.

use super::Word;
use crate::text::{Diagnostic, Diagnostics, Span};

/// What the directives say.
#[derive(Debug)]
pub(super) struct Directives {
    /// `# syntax=`
    pub syntax: Option<Word>,
    /// `# escape=`
    pub escape: char,
}

/// The names that count; any other comment ends the directives.
const NAMES: [&str; 3] = ["syntax", "escape", "check"];

/// Reads the directives, which stand before everything else.
pub(super) fn read(text: &str) -> (Directives, Diagnostics) {
    let mut directives = Directives {
        syntax: None,
        escape: '\\',
    };
    let mut found = Diagnostics::default();
    let mut seen = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let Some((name, value)) = directive(line, at) else {
            break;
        };
        if seen.contains(&name) {
            let message = format!("`# {name}=` may stand once");
            found.push(Diagnostic::error("second-directive", message).at(value.span));
        }
        match name {
            "syntax" => directives.syntax = first_word(&value),
            "escape" => match value.text.as_str() {
                "\\" => {}
                "`" => directives.escape = '`',
                _ => found.push(bad_escape(&value)),
            },
            _ => {}
        }
        seen.push(name);
        at += line.len();
    }
    (directives, found)
}

/// Takes a line `# name=value` apart, if its name is one that counts.
fn directive(line: &str, at: usize) -> Option<(&'static str, Word)> {
    let (name, value) = line.trim_start().strip_prefix('#')?.split_once('=')?;
    let name = name.trim();
    let name = NAMES.into_iter().find(|it| it.eq_ignore_ascii_case(name))?;
    let text = value.trim();
    let start = at + line.len() - value.trim_start().len();
    let word = Word {
        text: text.to_owned(),
        span: Span::new(start, start + text.len()),
    };
    (!text.is_empty()).then_some((name, word))
}

/// What follows the image is for its program.
fn first_word(value: &Word) -> Option<Word> {
    let text = value.text.split_whitespace().next()?;
    Some(Word {
        text: text.to_owned(),
        span: Span::new(value.span.start, value.span.start + text.len()),
    })
}

fn bad_escape(value: &Word) -> Diagnostic {
    Diagnostic::error("bad-escape", format!("`{}` cannot escape", value.text))
        .at(value.span)
        .help("only \\ and ` can: # escape=`")
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn directives_end_with_the_first_line_that_is_none() {
        for (text, syntax, escape) in [
            ("# syntax=a/b:1\nFROM x", Some("a/b:1"), '\\'),
            ("#SYNTAX = a  more\r\n# Escape=`\r\nFROM x", Some("a"), '`'),
            ("# about\n# syntax=a", None, '\\'),
            ("# other=1\n# escape=`", None, '\\'),
            ("\n# escape=`", None, '\\'),
            ("FROM x\n# syntax=a", None, '\\'),
            ("# check=skip=all\n# syntax=a", Some("a"), '\\'),
        ] {
            let (directives, found) = read(text);
            let word = directives.syntax;
            assert_eq!(word.as_ref().map(|it| it.text.as_str()), syntax, "{text}");
            assert_eq!(directives.escape, escape, "{text}");
            assert!(found.is_empty(), "{text}");
            if let Some(word) = word {
                assert_eq!(&text[word.span.start..word.span.end], word.text);
            }
        }
    }

    #[test]
    fn a_directive_that_cannot_be_followed_is_an_error() {
        for text in ["# escape=x\n", "# syntax=a\n# syntax=b\n"] {
            assert!(read(text).1.has_errors(), "{text}");
        }
    }
}

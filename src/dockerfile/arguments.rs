//! The names and defaults that an `ARG` declares.

use super::Argument;
use crate::text::{Diagnostic, Diagnostics, Span};

/// Reads what follows `ARG`, continued lines joined; the defaults keep their quotes.
pub(super) fn read(text: &str, span: Span, escape: char) -> (Vec<Argument>, Diagnostics) {
    let mut arguments = Vec::new();
    let mut found = Diagnostics::default();
    for word in words(text, escape) {
        let (name, default) = match word.split_once('=') {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (word, None),
        };
        if name.is_empty() {
            let finding = Diagnostic::error("blank-argument", "an ARG needs a name before its `=`");
            found.push(finding.at(span));
            continue;
        }
        arguments.push(Argument {
            name: name.to_owned(),
            default,
            span,
        });
    }
    (arguments, found)
}

/// Splits at blanks that are neither quoted nor escaped.
fn words(text: &str, escape: char) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut quote) = (None, None);
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter.is_whitespace() && quote.is_none() {
            words.extend(start.take().map(|start: usize| &text[start..at]));
            continue;
        }
        start.get_or_insert(at);
        match (letter, quote) {
            (_, None | Some('"')) if letter == escape => drop(letters.next()),
            ('\'' | '"', None) => quote = Some(letter),
            (_, Some(open)) if letter == open => quote = None,
            _ => {}
        }
    }
    words.extend(start.map(|start| &text[start..]));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_arg_may_declare_many_names() {
        for (text, expected) in [
            ("A", &[("A", None)][..]),
            ("A=1 B", &[("A", Some("1")), ("B", None)]),
            (
                "A=\"x y\"  B='z w'",
                &[("A", Some("\"x y\"")), ("B", Some("'z w'"))],
            ),
            (r"A=a\ b C=", &[("A", Some(r"a\ b")), ("C", Some(""))]),
            ("A=b=c", &[("A", Some("b=c"))]),
        ] {
            let (arguments, found) = read(text, Span::new(0, 0), '\\');
            let pairs = arguments.iter();
            let pairs: Vec<_> = pairs
                .map(|it| (it.name.as_str(), it.default.as_deref()))
                .collect();
            assert_eq!(pairs, expected, "{text}");
            assert!(found.is_empty());
        }
        assert!(read("=x", Span::new(0, 0), '\\').1.has_errors());
    }
}

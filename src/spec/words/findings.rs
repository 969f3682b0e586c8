//! Says in words what is wrong with a split line.

use super::{Broken, Words};
use crate::text::{Diagnostic, Diagnostics, Span};

/// A warning names so many expansions of one word.
const MOST_NAMES: usize = 5;

/// What a line is, for the advice that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// The text of a `cmd`.
    Cmd,
    /// The text of a `build`.
    Build,
}

impl Line {
    /// The property that holds the line.
    pub fn property(self) -> &'static str {
        match self {
            Line::Cmd => "cmd",
            Line::Build => "build",
        }
    }
}

/// Lists what is wrong with the words of `text`, except for a `cmd`'s operator, whose advice needs the image.
pub fn findings(words: &Words, text: &str, line: Line) -> Diagnostics {
    let mut found = Diagnostics::default();
    if let Some(span) = words.operator
        && line == Line::Build
    {
        found.push(operator(text, span, line).help(
            "a build is the arguments of one docker build; other commands go into a `cmd` step",
        ));
    }
    if let Some((span, broken)) = words.broken {
        found.push(unfinished(span, broken));
    }
    for comment in &words.comments {
        found.push(
            Diagnostic::warning(
                "shell-comment",
                "a word that starts with `#` begins a comment: the rest of the line is dropped",
            )
            .at(*comment)
            .label("not part of the command")
            .help("to pass a `#`, quote the word: '#…'"),
        );
    }
    found.extend(expansions(words, text));
    found
}

/// Makes the error for an unquoted operator, without the advice.
pub(crate) fn operator(text: &str, span: Span, line: Line) -> Diagnostic {
    let written = &text[span.start..span.end];
    let property = line.property();
    Diagnostic::error(
        "shell-operator",
        format!("unquoted `{written}` in a {property}: no shell reads this line"),
    )
    .at(span)
    .label("would need a shell")
}

fn unfinished(span: Span, broken: Broken) -> Diagnostic {
    match broken {
        Broken::Quote(quote) => Diagnostic::error(
            "unclosed-quote",
            format!("the quote {quote} is never closed"),
        )
        .at(span)
        .label("opened here"),
        Broken::Backslash => Diagnostic::error(
            "lone-backslash",
            "a backslash at the very end escapes nothing",
        )
        .at(span)
        .help("write `\\\\` to pass a backslash"),
    }
}

/// One warning for each word that holds expansions: a script with twenty variables needs no twenty.
fn expansions(words: &Words, text: &str) -> Diagnostics {
    let mut found = Diagnostics::default();
    for group in words.expansions.chunk_by(|a, b| a.word == b.word) {
        let Some(first) = group.first() else { continue };
        let names = names(group.iter().map(|e| &text[e.span.start..e.span.end]));
        found.push(
            Diagnostic::warning(
                "shell-expansion",
                format!("{names} reaches the container as written; ACR would have expanded it on its agent"),
            )
            .at(first.span)
            .help(advice(&text[first.span.start..first.span.end])),
        );
    }
    found
}

fn advice(written: &str) -> &'static str {
    if written.starts_with('$') || written.starts_with('`') {
        "single quotes say that the container's shell is meant; `{{.Values.name}}` puts a value in before"
    } else {
        "single quotes say that the character itself is meant"
    }
}

/// Joins different names, each in backticks: `` `$A`, `$B` ``. A few are enough.
fn names<'t>(written: impl Iterator<Item = &'t str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for name in written {
        if seen.len() == MOST_NAMES {
            seen.push("…");
            break;
        }
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    let quoted = seen.iter().map(|name| match *name {
        "`" => "a backtick".to_owned(),
        "…" => "…".to_owned(),
        name => format!("`{name}`"),
    });
    quoted.collect::<Vec<_>>().join(", ")
}

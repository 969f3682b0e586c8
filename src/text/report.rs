//! Prints findings as people read them, with the source underlined, and as programs do.

use super::lines::{Lines, ceil_boundary, floor_boundary};
use super::{Diagnostic, Diagnostics, Level, Span};
use annotate_snippets::{
    AnnotationKind, Element, Group, Level as Title, Origin, Renderer, Snippet, renderer::DecorStyle,
};
use serde_json::{Value, json};
use std::ops::Range;

/// More findings than this help nobody and cost time to print.
const MOST_SHOWN: usize = 50;
/// A span over more lines than this is marked on its first line only.
const MOST_LINES: usize = 6;
/// A line longer than this is named, but not printed.
const LONGEST_LINE: usize = 4_000;

/// The text that findings are about, and what to call it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The name to print, such as a file name.
    pub name: &'a str,
    /// The whole text.
    pub text: &'a str,
}

/// Prints findings in the order in which they stand, each with the lines it is about; `styled` adds colours.
pub fn render(source: &Source<'_>, diagnostics: &Diagnostics, styled: bool) -> String {
    let renderer = if styled {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let lines = Lines::new(source.text);
    let mut out = String::new();
    for diagnostic in diagnostics.iter().take(MOST_SHOWN) {
        out.push_str(&renderer.render(&groups(source, &lines, diagnostic)));
        out.push_str("\n\n");
    }
    let hidden = diagnostics.iter().skip(MOST_SHOWN).count();
    if hidden > 0 {
        out.push_str(&format!("… and {hidden} more\n"));
    }
    out
}

/// Turns findings into a JSON list; lines and columns are 1-based, columns count characters.
pub fn to_json(source: &Source<'_>, diagnostics: &Diagnostics) -> Value {
    let lines = Lines::new(source.text);
    diagnostics.iter().map(|d| one_as_json(&lines, d)).collect()
}

fn one_as_json(lines: &Lines<'_>, diagnostic: &Diagnostic) -> Value {
    let start = diagnostic.span.map(|span| lines.line_column(span.start));
    let end = diagnostic.span.map(|span| lines.line_column(span.end));
    json!({
        "level": match diagnostic.level {
            Level::Error => "error",
            Level::Warning => "warning",
        },
        "code": diagnostic.code,
        "message": diagnostic.message,
        "line": start.map(|(line, _)| line),
        "column": start.map(|(_, column)| column),
        "end_line": end.map(|(line, _)| line),
        "end_column": end.map(|(_, column)| column),
        "help": diagnostic.help,
    })
}

fn groups<'a>(
    source: &Source<'a>,
    lines: &Lines<'a>,
    diagnostic: &'a Diagnostic,
) -> Vec<Group<'a>> {
    let level = match diagnostic.level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
    };
    let place: Element<'_> = match diagnostic.span {
        Some(span) => excerpt(source, lines, span, diagnostic.label.as_deref()),
        None => Origin::path(source.name).into(),
    };
    let help = diagnostic
        .help
        .iter()
        .map(|text| Title::HELP.message(clean(text)));
    let main = level
        .primary_title(clean(&diagnostic.message))
        .id(diagnostic.code)
        .element(place)
        .elements(help);
    let also = diagnostic.also.iter().map(|place| {
        Title::NOTE
            .secondary_title(clean(&place.label))
            .element(excerpt(source, lines, place.span, None))
    });
    std::iter::once(main).chain(also).collect()
}

/// Shows the lines of a span, and only those: the renderer reads all it is given, for every finding.
fn excerpt<'a>(
    source: &Source<'a>,
    lines: &Lines<'a>,
    span: Span,
    label: Option<&'a str>,
) -> Element<'a> {
    let (window, first_line) = window(source.text, lines, span);
    if window.len() > LONGEST_LINE {
        let (line, column) = lines.line_column(span.start);
        return Origin::path(source.name)
            .line(line as usize)
            .char_column(column as usize)
            .into();
    }
    let marked = clamp(source.text, span, &window);
    Snippet::source(&source.text[window])
        .path(source.name)
        .line_start(first_line + 1)
        .annotation(AnnotationKind::Primary.span(marked).label(label.map(clean)))
        .into()
}

/// Finds the whole lines to show for a span, and the number of the first.
fn window(text: &str, lines: &Lines<'_>, span: Span) -> (Range<usize>, usize) {
    let first = lines.line_of(floor_boundary(text, span.start));
    let last_byte = span
        .end
        .saturating_sub(1)
        .clamp(span.start, text.len().max(span.start));
    let last = lines.line_of(last_byte.min(text.len()));
    let last = if last - first < MOST_LINES {
        last
    } else {
        first
    };
    (lines.range(first).start..lines.range(last).end, first)
}

/// Cuts a span to whole characters of the window, and makes it relative to the window's start.
fn clamp(text: &str, span: Span, window: &Range<usize>) -> Range<usize> {
    let start = floor_boundary(text, span.start).clamp(window.start, window.end);
    let end = ceil_boundary(text, span.end).clamp(start, window.end);
    start - window.start..end - window.start
}

/// Makes control characters of foreign text visible, so that they cannot act on a terminal.
fn clean(text: &str) -> String {
    let shown = text.chars().flat_map(|character| {
        let escaped = character.is_control() && character != '\n';
        let plain = (!escaped).then_some(character);
        let code = escaped.then(|| character.escape_default());
        plain.into_iter().chain(code.into_iter().flatten())
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str, diagnostic: Diagnostic) -> String {
        let source = Source {
            name: "acb.yaml",
            text,
        };
        render(&source, &diagnostic.into(), false)
    }

    #[test]
    fn a_finding_shows_its_line_underlined_with_label_and_help() {
        let text = "version: v1.1.0\nsteps:\n  - é☃: x\n";
        let diagnostic = Diagnostic::warning("unknown-key", "unknown key `é☃`")
            .at(text.find('é').unwrap()..text.find(": x").unwrap())
            .label("not a property of a step")
            .also(0..7, "the version is given here")
            .help("write `cmd` instead");
        insta::assert_snapshot!(plain(text, diagnostic), @r"
        warning[unknown-key]: unknown key `é☃`
         --> acb.yaml:3:5
          |
        3 |   - é☃: x
          |     ^^ not a property of a step
          |
          = help: write `cmd` instead
        note: the version is given here
         --> acb.yaml:1:1
          |
        1 | version: v1.1.0
          | ^^^^^^^
        ");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let text = "a: \u{1b}[31mred\u{7}\n";
        let diagnostic = Diagnostic::error("x", "bad \u{1b}[2J text")
            .at(3..9)
            .help("\u{8}");
        let out = plain(text, diagnostic);
        assert!(!out.contains(['\u{1b}', '\u{7}', '\u{8}']), "{out:?}");
    }

    #[test]
    fn no_span_can_make_the_report_panic() {
        for text in ["", "é", "é☃\n", "a\n\nbcd\r\n☃", "\t\u{1b}", "\n"] {
            for start in 0..text.len() + 3 {
                for end in 0..text.len() + 3 {
                    let diagnostic = Diagnostic::error("x", "y")
                        .at(start..end)
                        .also(end..start, "");
                    assert!(plain(text, diagnostic).contains("acb.yaml"));
                }
            }
        }
    }

    #[test]
    fn only_the_first_fifty_findings_are_printed() {
        let mut many = Diagnostics::default();
        (0..60)
            .for_each(|n| many.push(Diagnostic::error("x", format!("finding {n}")).at(n..n + 1)));
        let source = Source {
            name: "f",
            text: &"abc\n".repeat(30),
        };
        let out = render(&source, &many, false);
        assert!(
            out.contains("finding 49")
                && !out.contains("finding 50")
                && out.ends_with("… and 10 more\n")
        );
        assert_eq!(to_json(&source, &many).as_array().unwrap().len(), 60);
    }

    #[test]
    fn long_spans_and_long_lines_stay_short() {
        let text = format!("{}\n{}", "line\n".repeat(100), "x".repeat(10_000));
        let out = plain(&text, Diagnostic::error("x", "y").at(0..text.len()));
        assert!(out.lines().count() < 8, "{out}");
        let out = plain(&text, Diagnostic::error("x", "y").at(600..601));
        assert!(out.contains("acb.yaml:102:") && out.len() < 200, "{out}");
    }

    #[test]
    fn json_counts_lines_and_characters_from_one() {
        let source = Source {
            name: "f",
            text: "é: 1\nx: 2\n",
        };
        let findings = Diagnostic::error("code", "text")
            .at(6..7)
            .help("try")
            .into();
        let expected = json!([{
            "level": "error", "code": "code", "message": "text",
            "line": 2, "column": 1, "end_line": 2, "end_column": 2, "help": ["try"],
        }]);
        assert_eq!(to_json(&source, &findings), expected);
        let whole = to_json(&source, &Diagnostic::warning("w", "t").into());
        assert_eq!(whole[0]["line"], Value::Null);
    }
}

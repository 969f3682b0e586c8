//! From a place in the rendered text back to the place in the file that it came from.

use crate::spec::alias::Edits;
use crate::spec::render::{Inputs, Rendered};
use crate::text::{Diagnostic, Lines, Span};

/// The texts of one file, from what was written to what was read.
pub(super) struct Positions<'a> {
    source: &'a str,
    source_lines: Lines<'a>,
    edits: &'a Edits,
    template: &'a str,
    template_lines: Lines<'a>,
    rendered: &'a Rendered,
    rendered_lines: Lines<'a>,
}

/// The longest rendered text that a message repeats, in characters.
const LONGEST_QUOTE: usize = 120;

impl<'a> Positions<'a> {
    /// Compares the file, the text that was rendered (which `edits` made of it), and what came out.
    pub fn new(
        source: &'a str,
        template: &'a str,
        edits: &'a Edits,
        rendered: &'a Rendered,
    ) -> Self {
        Self {
            source,
            source_lines: Lines::new(source),
            edits,
            template,
            template_lines: Lines::new(template),
            rendered,
            rendered_lines: Lines::new(&rendered.text),
        }
    }

    /// Gives, for each line of the rendered text, the line of the file that it came from, from 1.
    pub fn lines(&self) -> Vec<u32> {
        let in_file = |line: &u32| {
            let start = self.template_line(*line).0;
            let start = self.edits.to_old(Span::new(start, start)).start;
            self.source_lines.line_of(start) as u32 + 1
        };
        self.rendered.lines.iter().map(in_file).collect()
    }

    /// Moves a finding about the rendered text into the file. Where the file says something else there, the
    /// finding repeats what was read.
    pub fn move_finding(&self, finding: Diagnostic, inputs: &Inputs<'_>) -> Diagnostic {
        let Some(span) = finding.span else {
            return finding;
        };
        let read = self.rendered.text.get(span.start..span.end);
        let read = read.unwrap_or_default();
        let moved = self.narrowed(self.to_source(span), read);
        let written = self.source.get(moved.start..moved.end).unwrap_or_default();
        let finding = finding.map_spans(|span| self.to_source(span)).at(moved);
        if read == written {
            return finding;
        }
        finding.help(match first_line(read) {
            "" => "after rendering nothing is left here".to_owned(),
            line => format!(
                "after rendering this reads `{}`",
                quote(inputs.without_secrets(line.to_owned()))
            ),
        })
    }

    /// Finds the bytes of the file behind bytes of the rendered text.
    pub fn to_source(&self, span: Span) -> Span {
        let start = self.to_template(span.start, Edge::Start);
        let end = self.to_template(span.end, Edge::End);
        let span = self.edits.to_old(Span::new(start, end.max(start)));
        let start = self.source.floor_char_boundary(span.start);
        Span::new(start, self.source.ceil_char_boundary(span.end))
    }

    /// Shrinks a span to the one place in it that says just what was read, outside of all actions.
    fn narrowed(&self, span: Span, read: &str) -> Span {
        let around = self.source.get(span.start..span.end).unwrap_or_default();
        let mut places = around.match_indices(read).filter(|(at, _)| {
            let before = &around[..*at];
            before.matches("{{").count() == before.matches("}}").count()
        });
        match (places.next(), places.next()) {
            (Some((at, _)), None) if read.len() > 1 => {
                Span::new(span.start + at, span.start + at + read.len())
            }
            _ => span,
        }
    }

    /// Finds a position of the rendered text in the template.
    fn to_template(&self, at: usize, edge: Edge) -> usize {
        let at = at.min(self.rendered.text.len());
        let index = self.rendered_lines.line_of(at);
        let range = self.rendered_lines.range(index);
        let column = at - range.start;
        let number = self.rendered.lines.get(index).copied().unwrap_or(1);
        let (start, old) = self.template_line(number);
        start + column_before(old, &self.rendered.text[range], column, edge)
    }

    /// Finds the start and the text of a line of the template, counted from 1.
    fn template_line(&self, number: u32) -> (usize, &str) {
        let last = self.template_lines.count() - 1;
        let range = self
            .template_lines
            .range((number.max(1) as usize - 1).min(last));
        (range.start, &self.template[range])
    }
}

/// Which end of a span a position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Start,
    End,
}

/// Finds a column of a new line in the old one. What the two share at both ends has its place; what differs
/// between comes from all that differs.
fn column_before(old: &str, new: &str, column: usize, edge: Edge) -> usize {
    let prefix = common(old.chars(), new.chars());
    let suffix = common(old[prefix..].chars().rev(), new[prefix..].chars().rev());
    let tail = new.len() - suffix;
    match edge {
        Edge::Start if column < prefix || old == new => column,
        Edge::End if column <= prefix => column,
        Edge::Start if column >= tail => column + old.len() - new.len(),
        Edge::End if column > tail => column + old.len() - new.len(),
        Edge::Start => prefix,
        Edge::End => old.len() - suffix,
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Counts the bytes of the characters that two texts begin with in common.
fn common(a: impl Iterator<Item = char>, b: impl Iterator<Item = char>) -> usize {
    let same = a.zip(b).take_while(|(a, b)| a == b);
    same.map(|(c, _)| c.len_utf8()).sum()
}

fn quote(text: String) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::alias::{Aliases, expand};
    use crate::spec::render::Draws;
    use crate::spec::values::RunVars;
    use std::collections::BTreeMap;

    /// Replaces aliases, then `{{…}}` by what `render` says, and gives where a part of the result was written.
    fn written(source: &str, render: &[(&str, &str)], part: &str) -> (String, Vec<String>) {
        let texts = BTreeMap::from([("img".to_owned(), "{{i}}/img".to_owned())]);
        let (template, edits) = expand(source, '$', &Aliases { texts });
        let (mut text, mut lines) = (String::new(), Vec::new());
        for (index, line) in template.split_inclusive('\n').enumerate() {
            let replaced = render
                .iter()
                .fold(line.to_owned(), |l, (from, to)| l.replace(from, to));
            lines.extend(replaced.split_inclusive('\n').map(|_| index as u32 + 1));
            text.push_str(&replaced);
        }
        let rendered = Rendered { text, lines };
        let positions = Positions::new(source, &template, &edits, &rendered);
        let start = rendered.text.find(part).expect(part);
        let finding = Diagnostic::error("x", "x").at(start..start + part.len());
        let secrets = BTreeMap::from([("s".to_owned(), "hush".to_owned())]);
        let draws = Draws {
            now: Default::default(),
            seed: [0; 32],
        };
        let inputs = Inputs {
            run: &RunVars::default(),
            values: &serde_json::Value::Null,
            secrets: &secrets,
            masked: &["quiet".to_owned()],
            draws: &draws,
            alias_files: &BTreeMap::new(),
        };
        let moved = positions.move_finding(finding, &inputs);
        let span = moved.span.expect("a place");
        (source[span.start..span.end].to_owned(), moved.help)
    }

    #[test]
    fn what_is_unchanged_has_its_own_place_and_no_remark() {
        let source = "é: 1\nid: é b\ncmd: $img run {{x}} end\n";
        for part in ["1", "é b", "id: é b", "cmd: ", " end", "run ", " run"] {
            let (place, help) = written(source, &[("{{i}}", "reg"), ("{{x}}", "value")], part);
            assert_eq!((place.as_str(), help.len()), (part, 0), "{part}");
        }
    }

    #[test]
    fn what_was_rendered_leads_to_its_action_and_is_shown() {
        let source = "a: {{x}} b\nc: d\n";
        let cases = [
            ("value", "{{x}}", "value"),
            ("alu", "{{x}}", "alu"),
            ("a: value", "a: {{x}}", "a: value"),
            ("value b", "{{x}} b", "value b"),
            ("value b\nc", "{{x}} b\nc", "value b"),
        ];
        for (part, place, shown) in cases {
            let help = format!("after rendering this reads `{shown}`");
            assert_eq!(
                written(source, &[("{{x}}", "value")], part),
                (place.to_owned(), vec![help])
            );
        }
    }

    #[test]
    fn what_an_alias_brought_leads_to_the_alias() {
        let (place, help) = written("a: $img x\n", &[("{{i}}", "reg")], "reg/img");
        assert_eq!((place.as_str(), help.len()), ("$img", 1));
        let (place, _) = written("a: $img x\n", &[("{{i}}", "reg")], "reg/img x");
        assert_eq!(place, "$img x");
    }

    #[test]
    fn lines_that_a_value_brought_lead_to_its_action() {
        let (place, _) = written("a: {{x}} z\nb: c\n", &[("{{x}}", "1\n2\n3")], "2");
        assert_eq!(place, "a: {{x}} z");
        let (place, _) = written("a: {{x}} z\nb: c\n", &[("{{x}}", "1\n2\n3")], "c");
        assert_eq!(place, "c");
    }

    #[test]
    fn secrets_are_not_shown() {
        let (_, help) = written(
            "a: {{x}}{{y}}\n",
            &[("{{x}}", "hush"), ("{{y}}", "quiet")],
            "hushquiet",
        );
        assert_eq!(help, ["after rendering this reads `******`"]);
        let (_, help) = written("a: b{{x}}c\n", &[("{{x}}", "")], "bc");
        assert_eq!(help, ["after rendering this reads `bc`"]);
    }
}

//! What a step does: its `cmd`, `build` or `push`.

use super::reader::{Field, Fields, Reader};
use super::{codes, unsupported};
use crate::spec::alias::Aliases;
use crate::spec::{Build, Cache, Command, Push, StepKind, build_line, command_line};
use crate::text::{Diagnostic, Diagnostics, Span};
use crate::yaml::{Kind, Node};
use std::collections::HashSet;

/// The properties of which a step has exactly one.
const KINDS: [&str; 3] = ["cmd", "build", "push"];

/// Reads what a step does; `None` where it is not one thing.
pub(super) fn read(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    aliases: &Aliases,
) -> Option<StepKind> {
    let mut given: Vec<(&str, Field<'_>)> = KINDS
        .iter()
        .filter_map(|name| Some((*name, fields.get(name)?)))
        .filter(|(name, field)| is_given(name, field.value))
        .collect();
    given.sort_by_key(|(_, field)| field.key.span);
    match given.as_slice() {
        [(name, field)] => one(reader, name, *field, (fields, aliases)),
        [] => {
            let empty = KINDS.iter().find_map(|name| fields.get(name));
            let span = empty.map_or_else(|| fields.first_key(), |field| field.key.span);
            let finding = error("step is missing a cmd, build, or push property").at(span);
            reader.report(finding.help("add one of them, as in `cmd: bash echo hello`"));
            None
        }
        [(_, first), (_, second), ..] => {
            let finding = error("step must only contain a single build, cmd, or push property");
            let finding = finding
                .at(second.key.span)
                .also(first.key.span, "the step does this already");
            reader.report(finding.help("make two steps of it"));
            None
        }
    }
}

fn error(message: &str) -> Diagnostic {
    Diagnostic::error(codes::STEP_KIND, message)
}

/// Says whether a property says anything; a value of the wrong type does, and is reported when it is read.
fn is_given(name: &str, value: &Node) -> bool {
    match &value.kind {
        Kind::Scalar { text, .. } => !text.is_empty() && !value.is_null(),
        Kind::Sequence(items) => name != "push" || !items.is_empty(),
        Kind::Mapping(_) | Kind::Broken => true,
    }
}

fn one(
    reader: &mut Reader<'_>,
    name: &str,
    field: Field<'_>,
    (fields, aliases): (&Fields<'_>, &Aliases),
) -> Option<StepKind> {
    match name {
        "cmd" => command(reader, field, aliases).map(|command| StepKind::Cmd(Box::new(command))),
        "build" => {
            let cache_field = fields.get("cache");
            let cache = cache(reader, cache_field);
            let build = build(reader, field).map(|build| Build { cache, ..build })?;
            unsupported::report(reader, field, &build);
            Some(StepKind::Build(Box::new(build)))
        }
        _ => Some(StepKind::Push(push(reader, field))),
    }
}

/// Reads a `cmd`. Its first word may be an alias; findings about the rest still point into the file.
fn command(reader: &mut Reader<'_>, field: Field<'_>, aliases: &Aliases) -> Option<Command> {
    let text = reader.text(Some(field))?;
    let Some(expanded) = aliases.expand_first_word(&text) else {
        let (command, findings) = command_line::read(&text);
        place(reader, field.value, findings, |span| span);
        return Some(command);
    };
    let alias = Replaced::between(&text, &expanded);
    let (command, findings) = command_line::read(&expanded);
    place(reader, field.value, findings, |span| alias.back(span));
    Some(command)
}

/// The first word of a `cmd` that an alias replaced.
struct Replaced {
    /// Where the word stands in the text.
    word: Span,
    /// How long the text of the alias is.
    length: usize,
}

impl Replaced {
    /// Finds the word by what follows it, for the blanks around the text are not kept.
    fn between(text: &str, expanded: &str) -> Self {
        let start = text.len() - text.trim_start().len();
        let trimmed = text.trim();
        let end = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
        let kept = [&text[start + end..], &trimmed[end..]];
        let rest = kept.iter().find(|rest| expanded.ends_with(**rest));
        Self {
            word: Span::new(start, start + end),
            length: expanded.len() - rest.map_or(0, |rest| rest.len()),
        }
    }

    /// Moves a span of the expanded text back: what lies in the text of the alias goes to the word.
    fn back(&self, span: Span) -> Span {
        let before = |offset: usize| (offset + self.word.end).saturating_sub(self.length);
        match span.start < self.length {
            true => Span::new(self.word.start, before(span.end).max(self.word.end)),
            false => Span::new(before(span.start), before(span.end)),
        }
    }
}

fn build(reader: &mut Reader<'_>, field: Field<'_>) -> Option<Build> {
    let text = reader.text(Some(field))?;
    let (build, findings) = build_line::read(&text);
    place(reader, field.value, findings, |span| span);
    Some(build)
}

/// Moves findings about the text of a property to where it is written in the file.
fn place(
    reader: &mut Reader<'_>,
    value: &Node,
    findings: Diagnostics,
    to_written: impl Fn(Span) -> Span,
) {
    if findings.is_empty() {
        return;
    }
    let offsets = value.offsets(reader.source);
    for finding in findings {
        let finding = finding.map_spans(|span| offsets.source_span(to_written(span)));
        reader.report(match finding.span {
            Some(_) => finding,
            None => finding.at(value.span),
        });
    }
}

/// Reads a `cache`, also where it has no effect, for a wrong value is an error anywhere.
pub(super) fn cache(reader: &mut Reader<'_>, field: Option<Field<'_>>) -> Cache {
    let Some((field, text)) = field.zip(reader.text(field)) else {
        return Cache::Unsaid;
    };
    match text.to_lowercase().as_str() {
        "enabled" => Cache::Enabled,
        "disabled" => Cache::Disabled,
        _ => {
            let message =
                "invalid value for cache property. Valid values are 'enabled', 'disabled'";
            reader.report(Diagnostic::error(codes::BAD_VALUE, message).at(field.span()));
            Cache::Unsaid
        }
    }
}

/// Reads a `push`: `:latest` where nothing else is said, each image once.
fn push(reader: &mut Reader<'_>, field: Field<'_>) -> Push {
    let mut seen = HashSet::new();
    let mut images = Vec::new();
    for entry in reader.texts(Some(field)) {
        let image = entry.text.trim();
        if image.is_empty() || image.contains(char::is_whitespace) {
            let finding = Diagnostic::error(codes::IMAGE, format!("`{image}` is no image name"));
            reader.report(
                finding
                    .at(entry.span)
                    .help("write one image to an entry, as in `- registry/name:tag`"),
            );
            continue;
        }
        let is_complete = image.contains([':', '@']);
        let image = format!("{image}{}", if is_complete { "" } else { ":latest" });
        if seen.insert(image.clone()) {
            images.push(image);
        }
    }
    Push { images }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_behind_an_alias_finds_its_way_back() {
        for (text, expanded) in [
            ("az login && x", "registry.example/cli:1 login && x"),
            ("  az login && x\n", "registry.example/cli:1 login && x"),
            ("az\nlogin && x\n", "registry.example/cli:1\nlogin && x\n"),
            ("longname && x", "y && x"),
        ] {
            let replaced = Replaced::between(text, expanded);
            let at = expanded.find("&&").unwrap();
            let back = replaced.back(Span::new(at, at + 2));
            assert_eq!(text.get(back.start..back.end), Some("&&"), "{text:?}");
            let word = replaced.back(Span::new(0, 1));
            assert_eq!(
                text.get(word.start..word.end),
                text.split_whitespace().next()
            );
        }
    }

    #[test]
    fn a_span_that_begins_in_the_alias_begins_at_its_name() {
        let replaced = Replaced::between("az login x", "cli:1 login x");
        assert_eq!(replaced.back(Span::new(2, 11)), Span::new(0, 8));
        let alone = Replaced::between("az", "cli:1 version");
        assert_eq!(alone.back(Span::new(6, 13)), Span::new(0, 2));
    }
}

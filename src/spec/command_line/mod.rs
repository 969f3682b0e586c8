//! Reads a `cmd` property: docker-run options, image, arguments.

mod apply;
mod mounts;
mod ports;
mod shared;
mod sizes;
mod table;
mod volumes;

pub(crate) use mounts::csv_fields;
pub use ports::{parse_expose, parse_port};
pub(crate) use shared::{check_isolation, check_platform, parse_extra_host, parse_label};
pub use sizes::{parse_cpus, parse_memory};

use super::reference::{Reference, ReferenceError};
use super::words::{self, Line, Word, options};
use super::{Command, Grant};
use crate::text::{Diagnostic, Diagnostics, Span};

/// Reads the text of a `cmd`; spans in the findings are byte ranges of `text`.
pub fn read(text: &str) -> (Command, Diagnostics) {
    let words = words::split(text);
    let mut found = words::findings(&words, text, Line::Cmd);
    let mut command = Command {
        text: text.to_owned(),
        ..Command::default()
    };
    let before_operator = words.before_operator();
    let (rest, problems) = options::read(before_operator, &table::GRAMMAR, &mut command);
    found.extend(problems);
    let image = rest.first().map(|index| &before_operator[*index]);
    match image {
        Some(image) => check_image(image).into_iter().for_each(|d| found.push(d)),
        None => found.push(imageless(text, before_operator)),
    }
    if let Some(span) = words.operator {
        found.push(operator(text, span, image));
    }
    command.image = image.map(|word| word.text.clone()).unwrap_or_default();
    let arguments = rest.iter().skip(1).map(|index| &before_operator[*index]);
    command.arguments = arguments.map(|word| word.text.clone()).collect();
    settle_grants(&mut command);
    (command, found)
}

fn check_image(image: &Word) -> Option<Diagnostic> {
    let error = Reference::parse(&image.text).err()?;
    if error == ReferenceError::ImageId {
        return None; // engines also run an image by its id
    }
    let diagnostic = Diagnostic::error("bad-image", format!("`{}`: {error}", image.text))
        .at(image.span)
        .label("read as the image: the first word after the options");
    Some(diagnostic)
}

fn imageless(text: &str, words: &[Word]) -> Diagnostic {
    let message = match words {
        [] => "the cmd is empty: it needs an image",
        _ => "the cmd names no image: all its words are options",
    };
    Diagnostic::error("no-image", message)
        .at(trimmed(text))
        .help("the first word after the options is the image: `alpine echo hello`")
}

/// The span of a text without the blanks around it.
fn trimmed(text: &str) -> Span {
    let start = text.len() - text.trim_start().len();
    Span::new(start, text.trim_end().len().max(start))
}

/// Shows an unquoted operator and how the line would be written for a shell inside the container.
fn operator(text: &str, span: Span, image: Option<&Word>) -> Diagnostic {
    let diagnostic = words::operator(text, span, Line::Cmd);
    let written = &text[span.start..span.end];
    let script = image
        .and_then(|image| text.get(image.span.end..))
        .map(str::trim)
        .filter(|script| !script.is_empty());
    let diagnostic = match (image, script) {
        (Some(image), Some(script)) => diagnostic.help(format!(
            "let a shell in the container read it: `{} bash -c '{}'` (or `sh -c` where the image has no bash)",
            &text[..image.span.end].trim_start(),
            script.replace('\'', r"'\''")
        )),
        _ => diagnostic.help("let a shell in the container read it: `IMAGE bash -c '…'` (or `sh -c '…'`)"),
    };
    diagnostic.help(format!(
        "to pass {written} itself, quote the word: '…{written}…'"
    ))
}

/// Lists each grant once; `--privileged` counts as it stands after the last switch.
fn settle_grants(command: &mut Command) {
    if command.privileged {
        command.grants.push(Grant::Privileged);
    }
    command.grants.sort();
    command.grants.dedup();
}

//! Environments: entries `NAME=value`, and how a step inherits those of the file.

use super::codes;
use super::reader::{Entry, Reader};
use crate::spec::EnvVar;
use crate::text::{Diagnostic, Span};
use std::borrow::Cow;
use std::collections::HashMap;

/// Reads the file's `env`. Its entries are split at commas, as a step's own are not.
pub(super) fn inherited(reader: &mut Reader<'_>, entries: &[Entry<'_>]) -> Vec<EnvVar> {
    let mut variables = Vec::new();
    for entry in entries {
        let mut malformed = Vec::new();
        let mut start = 0;
        for part in entry.text.split(',') {
            match variable(reader, entry, part) {
                Some(variable) => variables.push(variable),
                None => malformed.push(Span::new(start, start + part.len())),
            }
            start += part.len() + 1;
        }
        if !malformed.is_empty() {
            report_parts(reader, entry, &malformed);
        }
    }
    variables
}

/// Reports the parts of an entry of the file's `env` that have no name or no `=`.
fn report_parts(reader: &mut Reader<'_>, entry: &Entry<'_>, parts: &[Span]) {
    let offsets = entry.node.offsets(reader.source);
    for part in parts {
        let text = &entry.text[part.start..part.end];
        let message = format!("cannot parse task environment variable {text} correctly");
        let finding = malformed(message, offsets.source_span(*part));
        reader.report(match entry.text.contains(',') {
            true => finding
                .help("the file's `env` is split at commas; give a value with a comma to the step"),
            false => finding,
        });
    }
}

/// Reads a step's `env` and appends what it inherits and does not set itself. An entry without `=` is an error only
/// where something is inherited; else it would take the value of the engine's own environment, which has none.
pub(super) fn merged(
    reader: &mut Reader<'_>,
    entries: &[Entry<'_>],
    inherited: &[EnvVar],
) -> Vec<EnvVar> {
    let mut own = Variables::default();
    for entry in entries {
        let text = &entry.text;
        match variable(reader, entry, text) {
            Some(variable) => own.set(variable),
            None if inherited.is_empty() && !text.contains('=') && !text.is_empty() => {
                let message = format!("`{text}` has no value and is left out");
                let finding = Diagnostic::warning(codes::NO_EFFECT, message).at(entry.span);
                reader.report(finding.help(format!("write `{text}=value`")));
            }
            None => {
                let message = format!("cannot parse step environment variable {text} correctly");
                reader.report(malformed(message, entry.span));
            }
        }
    }
    let own_count = own.list.len();
    for variable in inherited {
        match own.places.get(&variable.name) {
            Some(place) if *place < own_count => {}
            _ => own.set(variable.clone()),
        }
    }
    own.list
}

/// Variables in order; of two with one name the last value counts.
#[derive(Default)]
struct Variables {
    list: Vec<EnvVar>,
    places: HashMap<String, usize>,
}

impl Variables {
    fn set(&mut self, variable: EnvVar) {
        match self.places.get(&variable.name) {
            Some(place) => self.list[*place].value = variable.value,
            None => {
                self.places.insert(variable.name.clone(), self.list.len());
                self.list.push(variable);
            }
        }
    }
}

fn malformed(message: String, span: Span) -> Diagnostic {
    Diagnostic::error(codes::ENVIRONMENT, message)
        .at(span)
        .help("write each entry as `NAME=value`")
}

/// Splits an entry at its first `=`.
fn variable(reader: &mut Reader<'_>, entry: &Entry<'_>, text: &str) -> Option<EnvVar> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty())?;
    let (value, is_surprising) = unquoted(value);
    if is_surprising {
        let message = format!("the quotes in the value of `{name}` are removed, as a shell would");
        let finding = Diagnostic::warning(codes::ENVIRONMENT_QUOTES, message).at(entry.span);
        reader.report(finding.help("put the whole value into single quotes to keep those inside"));
    }
    let (name, value) = (name.to_owned(), value.into_owned());
    Some(EnvVar { name, value })
}

/// Removes a shell's quotes, which files written for ACR need around values with blanks; says whether that is likely
/// to surprise. A value that no shell would take as one word is left as it is.
fn unquoted(value: &str) -> (Cow<'_, str>, bool) {
    if !value.contains(['\'', '"', '\\']) {
        return (value.into(), false);
    }
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars().peekable();
    let mut quote = None;
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None, '\\') => plain.extend(characters.next()),
            (Some('"'), '\\') => match characters.next_if(|next| "\"\\$`".contains(*next)) {
                Some(escaped) => plain.push(escaped),
                None => plain.push('\\'),
            },
            (None, ' ' | '\t' | '\n') => return (value.into(), false),
            _ => plain.push(character),
        }
    }
    let is_wrapped = value.starts_with(['\'', '"']) && value.ends_with(['\'', '"']);
    match quote {
        Some(_) => (value.into(), false),
        None => (plain.into(), !is_wrapped),
    }
}

#[cfg(test)]
mod tests {
    use super::unquoted;

    #[test]
    fn quotes_are_removed_as_by_a_shell() {
        for (written, expected, is_surprising) in [
            ("plain", "plain", false),
            ("'a b'", "a b", false),
            ("\"a \\\"b\\\" \\n\"", "a \"b\" \\n", false),
            ("a\\ b", "a b", true),
            ("{\"a\":1}", "{a:1}", true),
            ("'{\"a\":1}'", "{\"a\":1}", false),
            ("it's here", "it's here", false),
            ("two 'words'", "two 'words'", false),
            ("''", "", false),
        ] {
            assert_eq!(
                unquoted(written),
                (expected.into(), is_surprising),
                "{written}"
            );
        }
    }
}

//! Reads properties of known type, and collects what is wrong with them.

use super::codes;
use super::keys::{self, Object};
use super::unknown;
use crate::text::{Diagnostic, Diagnostics, Span};
use crate::yaml::{Kind, Mismatch, Node, Pair};
use std::borrow::Cow;

/// Suggestions compare a word with many others; more of them than are printed would only cost time.
const MOST_SUGGESTIONS: usize = 50;

/// The text of a task file and what was found about it so far.
pub(super) struct Reader<'a> {
    /// The text.
    pub source: &'a str,
    /// What was found.
    pub findings: Diagnostics,
    /// The folder of the workspace that steps begin in unless the file says otherwise.
    pub directory: String,
    suggestions: usize,
}

/// One property: its key and its value.
#[derive(Clone, Copy)]
pub(super) struct Field<'n> {
    /// The key.
    pub key: &'n Node,
    /// The value.
    pub value: &'n Node,
    is_merged: bool,
}

impl<'n> Field<'n> {
    /// Gives one entry of the list that is the value, under the name of the property.
    pub fn entry(self, value: &'n Node) -> Self {
        Self { value, ..self }
    }

    /// Gives the place of the value, or of the key where there is no value to see.
    pub fn span(&self) -> Span {
        let span = self.value.span;
        if span.start < span.end {
            span
        } else {
            self.key.span
        }
    }
}

/// The known properties of one object, each by its last mention.
pub(super) struct Fields<'n> {
    /// Where the object is.
    pub span: Span,
    found: Vec<(&'static str, Field<'n>)>,
}

impl<'n> Fields<'n> {
    /// Gives a property, if it is there.
    pub fn get(&self, name: &str) -> Option<Field<'n>> {
        let known = self.found.iter().find(|(key, _)| *key == name);
        known.map(|(_, field)| *field)
    }

    /// Gives the place of the first property, or of the object where it has none.
    pub fn first_key(&self) -> Span {
        let keys = self.found.iter().map(|(_, field)| field.key.span);
        keys.min().unwrap_or(self.span)
    }

    /// Lists the properties that are there, with their names.
    pub fn iter(&self) -> impl Iterator<Item = &(&'static str, Field<'n>)> {
        self.found.iter()
    }
}

/// A text of a list, with its place.
pub(super) struct Entry<'n> {
    /// The text.
    pub text: Cow<'n, str>,
    /// Where it is written.
    pub node: &'n Node,
    /// Its place, or that of the list where the entry itself cannot be seen.
    pub span: Span,
}

impl<'a> Reader<'a> {
    /// Begins with what the reading of the YAML found.
    pub fn new(source: &'a str, findings: Diagnostics) -> Self {
        Self {
            source,
            findings,
            suggestions: MOST_SUGGESTIONS,
            directory: String::new(),
        }
    }

    /// Adds a finding.
    pub fn report(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// Says whether another suggestion may be looked for.
    pub fn may_suggest(&mut self) -> bool {
        let may = self.suggestions > 0;
        self.suggestions = self.suggestions.saturating_sub(1);
        may
    }

    /// Sorts the properties of an object; says what is unknown or there twice. `None` when it is no map.
    pub fn fields<'n>(
        &mut self,
        object: &Object,
        node: &'n Node,
        around: Span,
    ) -> Option<Fields<'n>> {
        match &node.kind {
            Kind::Mapping(pairs) => {
                let mut fields = Fields {
                    span: node.span,
                    found: Vec::with_capacity(pairs.len()),
                };
                pairs
                    .iter()
                    .for_each(|pair| self.sort_in(object, pair, &mut fields));
                Some(fields)
            }
            Kind::Broken => None,
            Kind::Scalar { .. } | Kind::Sequence(_) => {
                self.report(no_map(object, node, self.source, around));
                None
            }
        }
    }

    fn sort_in<'n>(&mut self, object: &Object, pair: &'n Pair, fields: &mut Fields<'n>) {
        let Some(key) = pair.key.as_text().ok().and_then(|name| object.find(&name)) else {
            if !matches!(pair.key.kind, Kind::Broken) {
                let suggest = self.may_suggest();
                self.report(unknown::unknown_key(object, pair, suggest));
            }
            return;
        };
        let field = Field {
            key: &pair.key,
            value: &pair.value,
            is_merged: pair.is_merged,
        };
        let Some((_, known)) = fields.found.iter_mut().find(|(name, _)| *name == key.name) else {
            fields.found.push((key.name, field));
            return;
        };
        let earlier = std::mem::replace(known, field);
        if !earlier.is_merged && !field.is_merged {
            self.report(twice(key.name, earlier.key.span, field.key.span));
        }
    }

    /// Reads a text; an absent property and an empty one are the same.
    pub fn text<'n>(&mut self, field: Option<Field<'n>>) -> Option<Cow<'n, str>> {
        let field = field?;
        let text = self.typed(field, field.value.as_text(), "a text")?;
        (!text.is_empty()).then_some(text)
    }

    /// Reads a text that the task keeps.
    pub fn owned(&mut self, field: Option<Field<'_>>) -> Option<String> {
        self.text(field).map(Cow::into_owned)
    }

    /// Reads a whole number, 0 when absent.
    pub fn integer(&mut self, field: Option<Field<'_>>) -> i64 {
        let Some(field) = field else { return 0 };
        let Some(number) = self.typed(field, field.value.as_integer(), "a whole number") else {
            return 0;
        };
        if number.is_truncated {
            let message = format!("the fraction is cut off: this is {}", number.value);
            self.report(Diagnostic::warning(codes::CUT_NUMBER, message).at(field.span()));
        }
        number.value
    }

    /// Reads a boolean, false when absent.
    pub fn boolean(&mut self, field: Option<Field<'_>>) -> bool {
        let read =
            field.and_then(|field| self.typed(field, field.value.as_bool(), "true or false"));
        read.unwrap_or_default()
    }

    /// Reads a list, empty when absent.
    pub fn list<'n>(&mut self, field: Option<Field<'n>>) -> &'n [Node] {
        let Some(field) = field else { return &[] };
        match &field.value.kind {
            Kind::Sequence(items) => items,
            Kind::Broken => &[],
            _ if field.value.is_null() => &[],
            Kind::Scalar { .. } | Kind::Mapping(_) => {
                let found = field.value.describe();
                self.typed::<()>(field, Err(Mismatch { found }), "a list");
                &[]
            }
        }
    }

    /// Reads a list of texts; an empty entry is an empty text.
    pub fn texts<'n>(&mut self, field: Option<Field<'n>>) -> Vec<Entry<'n>> {
        let Some(field) = field else {
            return Vec::new();
        };
        let items = self.list(Some(field)).iter();
        items
            .filter_map(|node| {
                let entry = field.entry(node);
                let text = self.typed(entry, node.as_text(), "a text")?;
                Some(Entry {
                    text,
                    node,
                    span: entry.span(),
                })
            })
            .collect()
    }

    /// Reports a value of the wrong type, in the words of its property.
    pub fn typed<T>(
        &mut self,
        field: Field<'_>,
        read: Result<T, Mismatch>,
        wanted: &str,
    ) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(_) if matches!(field.value.kind, Kind::Broken) => None,
            Err(Mismatch { found }) => {
                let name = field.key.as_text().unwrap_or_default();
                let message = format!("`{name}` takes {wanted}, not {found}");
                let finding = Diagnostic::error(codes::WRONG_TYPE, message).at(field.span());
                self.report(match help_for(&name, field.value, wanted) {
                    Some(help) => finding.help(help),
                    None => finding,
                });
                None
            }
        }
    }
}

fn twice(name: &str, first: Span, second: Span) -> Diagnostic {
    Diagnostic::warning(
        codes::DUPLICATE_KEY,
        format!("`{name}` is given twice; the last one counts"),
    )
    .at(second)
    .also(first, "it is given first here")
    .help("remove one of the two")
}

/// Makes the error for an object that is no map, or nothing at all.
fn no_map(object: &Object, node: &Node, source: &str, around: Span) -> Diagnostic {
    if node.is_null() {
        let before = source[..node.span.end.min(source.len())].trim_end();
        let span = match (node.span.start < node.span.end, before.ends_with('-')) {
            (true, _) => node.span,
            (false, true) => Span::new(before.len() - 1, before.len()),
            (false, false) => around,
        };
        let message = format!("this entry is empty: {} is missing", object.name);
        let finding = Diagnostic::error(codes::EMPTY_ENTRY, message).at(span);
        return finding.help("remove the lone `-`, or write the properties behind it");
    }
    let message = format!("{} must be a map, not {}", object.name, node.describe());
    let finding = Diagnostic::error(codes::WRONG_TYPE, message).at(node.span);
    finding.help("write `key: value` lines")
}

/// Proposes how to write a value of the wanted type.
fn help_for(name: &str, value: &Node, wanted: &str) -> Option<String> {
    let text = value.scalar().map(|(text, _)| text);
    match (wanted, text) {
        ("a list", _)
            if keys::TASK.find(name).is_some() && name != "env" || name == "volumeMounts" =>
        {
            Some(format!(
                "write `{name}:` and below it the entries, each begun with `- `"
            ))
        }
        ("a list", None) if name == "env" => Some("write `env: ['NAME=value']`".to_owned()),
        ("a list", Some(text)) if !text.contains(['\n', '\'']) => {
            Some(format!("write `{name}: ['{text}']`"))
        }
        ("a list", _) => Some("put `- ` before the value, on a line of its own".to_owned()),
        ("true or false", Some(_)) => Some(format!(
            "write `{name}: true` or `{name}: false`, without quotes"
        )),
        ("a whole number", Some(text)) if text.trim().parse::<i64>().is_ok() => {
            Some(format!("write `{name}: {}`, without quotes", text.trim()))
        }
        ("a text", None) => Some("write it as one text, as on a command line".to_owned()),
        _ => None,
    }
}

//! Collects the aliases of a file: its own, those of other files, the built-in ones.

use super::{Aliases, DEFAULT_DIRECTIVE};
use crate::text::{Diagnostic, Diagnostics};
use crate::yaml::{self, Kind, Node, Pair};
use std::collections::BTreeMap;

/// What the `alias` section says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// `values`: the aliases written in the file itself.
    pub values: BTreeMap<String, String>,
    /// `src`: the files and addresses to take more from, in order.
    pub sources: Vec<String>,
    /// `directive`: the character that starts an alias.
    pub directive: char,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            values: BTreeMap::new(),
            sources: Vec::new(),
            directive: DEFAULT_DIRECTIVE,
        }
    }
}

/// Reads the rendered `alias` section; spans are bytes of `text`.
pub fn read_section(text: &str) -> Result<Section, Diagnostics> {
    let (root, mut found) = yaml::compose(text);
    let mut section = Section::default();
    let alias = root.as_ref().and_then(|root| child(root, "alias"));
    for pair in alias
        .map(|alias| pairs(alias, "alias", &mut found))
        .unwrap_or_default()
    {
        match key(pair).as_str() {
            "values" => section.values = texts(&pair.value, &mut found),
            "src" => section.sources = list(&pair.value, &mut found),
            "directive" => section.directive = directive(&pair.value, &mut found),
            other => found.push(
                Diagnostic::warning("unknown-key", format!("alias has no property `{other}`"))
                    .at(pair.key.span)
                    .help("an alias section has values, src and directive"),
            ),
        }
    }
    if found.has_errors() {
        Err(found)
    } else {
        Ok(section)
    }
}

/// Merges a section with the texts of its sources and the built-in aliases: the section wins over its sources,
/// a later source over an earlier one, all of them over the built-in ones.
pub fn gather(section: &Section, files: &BTreeMap<String, String>) -> Result<Aliases, Diagnostics> {
    let mut found = Diagnostics::default();
    let mut aliases = Aliases::built_in();
    for source in &section.sources {
        match files.get(source) {
            Some(text) => aliases.texts.extend(read_file(source, text, &mut found)),
            None => found.push(Diagnostic::error(
                "alias-source",
                format!("the alias file `{source}` could not be read"),
            )),
        }
    }
    aliases.texts.extend(section.values.clone());
    if found.has_errors() {
        Err(found)
    } else {
        Ok(aliases)
    }
}

/// Reads a file of aliases: a flat map. Its findings have no place in the task file, so they name the file.
fn read_file(source: &str, text: &str, found: &mut Diagnostics) -> BTreeMap<String, String> {
    let (root, mut inner) = yaml::compose(text);
    let aliases = root
        .map(|root| texts(&root, &mut inner))
        .unwrap_or_default();
    for mut finding in inner {
        finding.message = format!("in the alias file `{source}`: {}", finding.message);
        finding.span = None;
        finding.label = None;
        finding.also = None;
        found.push(finding);
    }
    aliases
}

fn child<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Kind::Mapping(pairs) = &node.kind else {
        return None;
    };
    let named = pairs.iter().rfind(|pair| key(pair) == name);
    named.map(|pair| &pair.value)
}

fn key(pair: &Pair) -> String {
    pair.key
        .as_text()
        .map(|text| text.to_string())
        .unwrap_or_default()
}

fn pairs<'n>(node: &'n Node, what: &str, found: &mut Diagnostics) -> &'n [Pair] {
    match &node.kind {
        Kind::Mapping(pairs) => return pairs,
        Kind::Broken => {}
        _ if node.is_null() => {}
        _ => found.push(mismatch(node, &format!("{what} must be a map"))),
    }
    &[]
}

/// Reads a map of texts with names that an alias can have.
fn texts(node: &Node, found: &mut Diagnostics) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for pair in pairs(node, "aliases", found) {
        let name = key(pair);
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_name {
            found.push(
                Diagnostic::error(
                    "alias-name",
                    "alias key names only support alphanumeric characters",
                )
                .at(pair.key.span)
                .label(format!("`{name}` has others")),
            );
        }
        match pair.value.as_text() {
            Ok(text) => drop(texts.insert(name, text.to_string())),
            Err(_) => found.push(mismatch(
                &pair.value,
                &format!("the alias {name} must be a text"),
            )),
        }
    }
    texts
}

fn list(node: &Node, found: &mut Diagnostics) -> Vec<String> {
    let Kind::Sequence(items) = &node.kind else {
        if !node.is_null() {
            found.push(mismatch(node, "src must be a list of files and addresses"));
        }
        return Vec::new();
    };
    let mut sources = Vec::new();
    for item in items {
        match item.as_text() {
            Ok(text) => sources.push(text.to_string()),
            Err(_) => found.push(mismatch(item, "each src must be a text")),
        }
    }
    sources
}

fn directive(node: &Node, found: &mut Diagnostics) -> char {
    let Ok(text) = node.as_text() else {
        found.push(mismatch(node, "directive must be a text"));
        return DEFAULT_DIRECTIVE;
    };
    let mut characters = text.chars();
    let message = match (characters.next(), characters.next()) {
        (None, _) => return DEFAULT_DIRECTIVE,
        (Some(c), None) if c.is_ascii_alphanumeric() => {
            "overwritten directives may not be alphanumeric characters"
        }
        (Some(c), None) => return c,
        _ => "$ directive can only be overwritten by a single character",
    };
    found.push(Diagnostic::error("alias-directive", message).at(node.span));
    DEFAULT_DIRECTIVE
}

fn mismatch(node: &Node, message: &str) -> Diagnostic {
    let message = format!(
        "error during alias unmarshaling: {message}, not {}",
        node.describe()
    );
    Diagnostic::error("alias-type", message).at(node.span)
}

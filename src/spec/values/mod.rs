//! The values that templates see as `.Values`: from files and from the command line.

mod json;
mod run_vars;

pub use json::{shell_quoted, to_json};
pub use run_vars::RunVars;

use crate::text::Diagnostics;
use crate::yaml;
use serde_json::{Map, Value};

/// The values of a run.
#[derive(Clone, Default, PartialEq)]
pub struct Values {
    /// The values by name; always a map.
    pub map: Value,
    /// The texts among them that no message and no log may show.
    pub secrets: Vec<String>,
}

impl std::fmt::Debug for Values {
    /// Prints the names only: values may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self
            .map
            .as_object()
            .map(|map| map.keys().collect::<Vec<_>>());
        f.debug_struct("Values")
            .field("names", &names)
            .finish_non_exhaustive()
    }
}

/// What is wrong with the values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValuesError {
    /// A file is not YAML, or no map.
    #[error("values file number {} cannot be used", index + 1)]
    File {
        /// Which of the files.
        index: usize,
        /// What is wrong in it; spans are bytes of its text.
        findings: Diagnostics,
    },
    /// An assignment has no name.
    #[error("`{0}` names no value; write NAME=VALUE")]
    Nameless(String),
}

/// Merges values files and assignments. An assignment wins over the files, a later one over an earlier one, a
/// later file over an earlier one; maps of two files are merged key by key.
pub fn read(
    files: &[&str],
    sets: &[String],
    secret_sets: &[String],
) -> Result<Values, ValuesError> {
    let mut map = Map::new();
    for (index, text) in files.iter().enumerate() {
        let file = read_file(text).map_err(|findings| ValuesError::File { index, findings })?;
        merge(&mut map, file);
    }
    let mut secrets = Vec::new();
    for (index, set) in sets.iter().chain(secret_sets).enumerate() {
        // A name without `=` has an empty value, as in `az acr run`.
        let (name, value) = set.split_once('=').unwrap_or((set, ""));
        if name.trim().is_empty() {
            let is_secret = index >= sets.len();
            return Err(ValuesError::Nameless(if is_secret {
                "=…".to_owned()
            } else {
                set.clone()
            }));
        }
        map.insert(name.to_owned(), Value::String(value.to_owned()));
        if index >= sets.len() && !value.is_empty() {
            secrets.push(value.to_owned());
        }
    }
    let map = Value::Object(map);
    Ok(Values { map, secrets })
}

/// Reads one values file; an empty one has no values.
fn read_file(text: &str) -> Result<Map<String, Value>, Diagnostics> {
    match yaml::read_value(text)? {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        _ => Err(crate::text::Diagnostic::error(
            "values-type",
            "a values file must be a map of names and values",
        )
        .at(0..text.lines().next().map_or(0, str::len))
        .into()),
    }
}

fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (name, value) in from {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, value) => drop(into.insert(name, value)),
        }
    }
}

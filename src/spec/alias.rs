//! Aliases: the `$name` shorthands of task files since v1.1.0.

use std::collections::BTreeMap;

/// The aliases in force for one file: name and text. Empty where the version has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aliases {
    /// Name to text.
    pub texts: BTreeMap<String, String>,
}

impl Aliases {
    /// Replaces the first word of a `cmd` when it is the name of an alias; `None` when it is not.
    pub fn expand_first_word(&self, _cmd: &str) -> Option<String> {
        None
    }
}

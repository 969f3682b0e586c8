//! Aliases: the `$name` shorthands of task files since v1.1.0.

mod built_in;
mod edits;
mod expand;
mod section;
mod sources;
mod version;

pub use edits::{Edited, Edits};
pub use expand::expand;
pub use section::{blank_out, cut, only};
pub use sources::{Section, gather, read_section};
pub use version::{has_aliases, version_text};

use std::collections::BTreeMap;

/// The character that starts an alias where the file sets no other.
pub const DEFAULT_DIRECTIVE: char = '$';

/// The aliases in force for one file: name and text. Empty where the version has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aliases {
    /// Name to text.
    pub texts: BTreeMap<String, String>,
}

impl Aliases {
    /// Makes the aliases that every file of version v1.1.0 has.
    pub fn built_in() -> Self {
        let texts = built_in::ALIASES
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Self {
            texts: texts.collect(),
        }
    }

    /// Replaces the first word of a `cmd` when it is the name of an alias; `None` when it is not.
    pub fn expand_first_word(&self, cmd: &str) -> Option<String> {
        let trimmed = cmd.trim();
        let end = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
        let (word, rest) = trimmed.split_at(end);
        Some(format!("{}{rest}", self.texts.get(word)?))
    }
}

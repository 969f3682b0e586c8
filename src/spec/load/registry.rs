//! Finds where a file uses the registry of its run.

use crate::text::Span;

/// What a template writes for the registry; `.Run.RegistryName` begins the same way.
const NAME: &str = ".Run.Registry";

/// Finds each `.Run.Registry` and `.Run.RegistryName` inside the actions of a text.
pub(super) fn uses(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find("{{").map(|n| at + n) {
        let close = text[open..].find("}}").map_or(text.len(), |n| open + n);
        found.extend(in_action(text, open, close));
        at = (close + 2).min(text.len());
    }
    found
}

fn in_action(text: &str, open: usize, close: usize) -> impl Iterator<Item = Span> {
    text[open..close]
        .match_indices(NAME)
        .filter_map(move |(at, _)| {
            let start = open + at;
            let end = start + NAME.len();
            let rest = &text[end..close];
            let rest = rest.strip_prefix("Name").unwrap_or(rest);
            let goes_on = rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            (!goes_on).then(|| Span::new(start, close - rest.len()))
        })
}

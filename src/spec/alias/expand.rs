//! Replaces `$name` by the text of the alias, wherever it stands.

use super::{Aliases, Edited, Edits};

/// Replaces every alias in `text` once: what an alias brings is not looked at again.
///
/// A name starts after the directive and ends at the first character that is no ASCII letter or digit. Two
/// directives are one literal directive. The character that ends an unknown name is literal, even a directive.
pub fn expand(text: &str, directive: char, aliases: &Aliases) -> (String, Edits) {
    let mut edited = Edited::new(text);
    let mut open: Option<usize> = None;
    // A blank that is not in the text ends a name at its very end.
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let Some(start) = open else {
            open = (c == directive).then_some(at);
            continue;
        };
        let name = text
            .get(start + directive.len_utf8()..at)
            .unwrap_or_default();
        if c == directive && name.is_empty() && at < text.len() {
            edited.replace(start..at + c.len_utf8(), directive.encode_utf8(&mut [0; 4]));
            open = None;
        } else if !c.is_ascii_alphanumeric() {
            open = match aliases.texts.get(name) {
                Some(replacement) => {
                    edited.replace(start..at, replacement);
                    (c == directive).then_some(at)
                }
                None => None,
            };
        }
    }
    edited.finish()
}

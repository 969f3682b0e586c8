//! Digests as people compare them: the beginning, with the whole behind it.

use maud::{Markup, html};

/// Hexadecimal digits that tell digests apart.
const DIGITS: usize = 12;

/// The beginning of a digest, or a tag as it is.
pub(super) fn short(content: &str) -> &str {
    let hex = content.strip_prefix("sha256:").unwrap_or(content);
    match hex.len() == content.len() {
        true => content,
        false => hex.get(..DIGITS).unwrap_or(hex),
    }
}

/// A digest that shows its beginning; the whole stands behind it.
pub(super) fn digest(content: &str) -> Markup {
    html! { code class="digest" title=(content) { (short(content)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_told_by_its_beginning_and_a_tag_stays_whole() {
        for (content, said) in [
            ("sha256:0123456789abcdef0123", "0123456789ab"),
            ("sha256:01", "01"),
            ("1.22.0-alpine3.20", "1.22.0-alpine3.20"),
        ] {
            assert_eq!(short(content), said);
        }
    }
}

//! The `from=` of a `RUN --mount=…`.

use std::ops::Range;

/// Finds the value of `from` in the fields of a mount, which are separated as in a CSV line. The last one counts.
pub(super) fn from(value: &str) -> Option<Range<usize>> {
    let mut found = None;
    for field in fields(value) {
        let text = &value[field.clone()];
        if let Some((key, word)) = text.split_once('=')
            && key.trim().eq_ignore_ascii_case("from")
            && !word.is_empty()
        {
            found = Some(field.end - word.len()..field.end);
        }
    }
    found
}

/// Splits at commas outside of quotes; a field that is quoted as a whole loses its quotes.
fn fields(value: &str) -> Vec<Range<usize>> {
    let mut fields = Vec::new();
    let (mut start, mut is_quoted) = (0, false);
    let mut push = |range: Range<usize>| {
        let text = &value[range.clone()];
        let is_whole = text.len() > 1 && text.starts_with('"') && text.ends_with('"');
        let inset = usize::from(is_whole);
        fields.push(range.start + inset..range.end - inset);
    };
    for (at, letter) in value.char_indices() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => {
                push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    push(start..value.len());
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_is_found_among_the_fields() {
        for (value, expected) in [
            ("from=a,target=/x", Some("a")),
            ("type=bind,FROM=a/b:1,ro", Some("a/b:1")),
            ("type=cache,\"from=a\",target=\"/x,from=b\"", Some("a")),
            ("type=bind,from=a,from=b", Some("b")),
            ("type=cache,target=/from=x", None),
            ("type=bind,from=", None),
            ("\"", None),
            ("", None),
        ] {
            assert_eq!(from(value).map(|range| &value[range]), expected, "{value}");
        }
    }
}

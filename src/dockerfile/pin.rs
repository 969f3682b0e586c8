//! Puts other words in the places of a text.

use crate::text::Span;

/// What to write in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The place.
    pub span: Span,
    /// What stands there afterwards, such as `reference@digest`.
    pub text: String,
}

/// Writes every pin into its place; one that overlaps an earlier one, or lies outside, is left out.
pub fn pin(text: &str, pins: &[Pin]) -> String {
    let mut pins: Vec<&Pin> = pins.iter().collect();
    pins.sort_by_key(|pin| pin.span);
    let mut pinned = String::with_capacity(text.len() + pins.len() * 80);
    let mut at = 0;
    for pin in pins {
        let before = text.get(at..pin.span.start);
        if let Some(before) = before.filter(|_| text.get(pin.span.start..pin.span.end).is_some()) {
            pinned.push_str(before);
            pinned.push_str(&pin.text);
            at = pin.span.end;
        }
    }
    pinned.push_str(&text[at..]);
    pinned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_places_change() {
        let pin_at = |start, end, text: &str| Pin {
            span: Span::new(start, end),
            text: text.to_owned(),
        };
        let pins = [
            pin_at(5, 6, "c"),
            pin_at(0, 1, "xyz"),
            pin_at(0, 2, "overlaps"),
            pin_at(90, 91, "outside"),
        ];
        assert_eq!(pin("a é b", &pins), "xyz é c");
        assert_eq!(pin("a", &[]), "a");
    }
}

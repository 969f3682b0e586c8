//! Finds the `alias` section of a file before it can be read as YAML.

use std::ops::Range;

/// Blanks the `alias` section out; every other byte stays in its place. `None` when there is none.
pub fn cut(text: &str) -> Option<String> {
    let sections = find(text);
    (!sections.is_empty()).then(|| blank_out(text, &sections))
}

/// Blanks everything but the `alias` section out; `None` when there is none.
pub fn only(text: &str) -> Option<String> {
    let sections = find(text);
    let starts = [0].into_iter().chain(sections.iter().map(|s| s.end));
    let ends = sections.iter().map(|s| s.start).chain([text.len()]);
    let others: Vec<_> = starts.zip(ends).map(|(start, end)| start..end).collect();
    (!sections.is_empty()).then(|| blank_out(text, &others))
}

/// Finds the sections: each goes from a line that starts with `alias:` to the next line that starts with a key.
fn find(text: &str) -> Vec<Range<usize>> {
    let mut sections: Vec<Range<usize>> = Vec::new();
    let mut is_inside = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        if !is_inside && is_alias_key(line) {
            is_inside = true;
            sections.push(start..start);
        } else if is_inside && is_key(line) {
            is_inside = false;
        }
        if is_inside && let Some(section) = sections.last_mut() {
            section.end = end;
        }
        start = end;
    }
    sections
}

fn is_alias_key(line: &str) -> bool {
    let rest = line.strip_prefix("alias").unwrap_or_default();
    rest.trim_start().starts_with(':')
}

/// Says whether a line begins, at its very start, with something that has a colon behind it.
fn is_key(line: &str) -> bool {
    let starts = !line.starts_with(|c: char| c.is_whitespace() || c == ':');
    starts && line.contains(':')
}

/// Replaces parts of a text by spaces; line breaks stay, and so does the place of every other byte.
pub fn blank_out(text: &str, parts: &[Range<usize>]) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut taken = 0;
    for part in parts {
        blanked.push_str(&text[taken..part.start]);
        let kept = |b: u8| matches!(b, b'\n' | b'\r');
        let spaces = text[part.clone()].bytes();
        blanked.extend(spaces.map(|b| if kept(b) { char::from(b) } else { ' ' }));
        taken = part.end;
    }
    blanked.push_str(&text[taken..]);
    blanked
}

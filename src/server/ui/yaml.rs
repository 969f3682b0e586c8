//! Paints YAML: keys, strings, comments, templates and variables as classes. It reads lines, not the language.

use maud::{Markup, html};

/// A stretch of a line with the class that it is painted in.
type Part<'a> = (&'static str, &'a str);

/// Text with its lines numbered.
pub(super) fn painted(text: &str) -> Markup {
    html! {
        pre class="file yaml" tabindex="0" {
            @for line in text.lines() {
                span class="line" {
                    @for (class, part) in parts(line) {
                        @if class.is_empty() { (part) } @else { span class=(class) { (part) } }
                    }
                    "\n"
                }
            }
        }
    }
}

fn parts(line: &str) -> Vec<Part<'_>> {
    let body = line.trim_start();
    let (mut found, mut rest) = (vec![("", &line[..line.len() - body.len()])], body);
    while let Some(after) = rest.strip_prefix("- ") {
        found.push(("y-mark", &rest[..2]));
        rest = after;
    }
    if let Some(end) = key_end(rest) {
        found.push(("y-key", &rest[..end]));
        found.push(("y-mark", &rest[end..=end]));
        rest = &rest[end + 1..];
    }
    values(rest, &mut found);
    found.retain(|(_, part)| !part.is_empty());
    found
}

/// Where the key of a line ends, if it begins with one.
fn key_end(text: &str) -> Option<usize> {
    let end = text.find(':')?;
    let is_name = |it: char| it.is_alphanumeric() || matches!(it, '_' | '-' | '.' | '/');
    let ends_so = matches!(text.as_bytes().get(end + 1), None | Some(b' '));
    (ends_so && end > 0 && text[..end].chars().all(is_name)).then_some(end)
}

fn values<'a>(text: &'a str, found: &mut Vec<Part<'a>>) {
    let (mut start, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        let Some((class, length)) = special(rest, at == 0 || text[..at].ends_with(' ')) else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        found.push(("", &text[start..at]));
        found.push((class, &rest[..length]));
        at += length;
        start = at;
    }
    found.push(("", &text[start..]));
}

/// What begins here, and how long it is.
fn special(rest: &str, after_space: bool) -> Option<(&'static str, usize)> {
    if rest.starts_with('#') && after_space {
        return Some(("y-comment", rest.len()));
    }
    if rest.starts_with("{{") {
        let end = rest.find("}}").map_or(rest.len(), |it| it + 2);
        return Some(("y-template", end));
    }
    if let Some(name) = rest.strip_prefix('$') {
        let length = name
            .find(|it: char| !it.is_alphanumeric() && it != '_')
            .unwrap_or(name.len());
        return (length > 0).then_some(("y-template", length + 1));
    }
    let quote = rest.chars().next().filter(|it| matches!(it, '"' | '\''))?;
    let end = rest[1..].find(quote).map_or(rest.len(), |it| it + 2);
    Some(("y-string", end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_stays_and_what_matters_is_painted() {
        for (line, painted) in [
            ("steps:", "y-key=steps y-mark=:"),
            (
                "  - id: one # first",
                "y-mark=-  y-key=id y-mark=: y-comment=# first",
            ),
            (
                "    env: [\"A=b\", 'c']",
                "y-key=env y-mark=: y-string=\"A=b\" y-string='c'",
            ),
            (
                "    cmd: a $ID {{.Values.x}} é",
                "y-key=cmd y-mark=: y-template=$ID y-template={{.Values.x}}",
            ),
            ("http://x: é \"open", "y-string=\"open"),
        ] {
            let found = parts(line);
            let all: String = found.iter().map(|it| it.1).collect();
            assert_eq!(all, line);
            let special = found.iter().filter(|it| !it.0.is_empty());
            let special: Vec<String> = special
                .map(|(class, part)| format!("{class}={part}"))
                .collect();
            assert_eq!(special.join(" "), painted);
        }
    }
}

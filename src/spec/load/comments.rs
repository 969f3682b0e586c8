//! Finds YAML comments before the text is YAML, so that nothing in them is rendered.

use std::ops::Range;

/// Finds the comments that a template or an alias must not see: whole lines, and ends of lines with `{{` or `$`.
///
/// What looks like a comment inside a block scalar (`|`, `>`) or inside quotes is text and stays. This is no YAML
/// reader: the text is not YAML yet. It follows indentation and the quotes that open a value.
pub fn find(text: &str) -> Vec<Range<usize>> {
    let mut place = Place::Plain;
    let mut comments = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end_matches(['\n', '\r']).len();
        let content = &text[start..end];
        place = place.before(content);
        match place {
            Place::Block { .. } if is_inside_block(&place, content) => {}
            Place::Quoted(_) => {}
            _ if content.trim_start().starts_with('#') => comments.push(start..end),
            _ => comments.extend(trailing(content).map(|at| start + at..end)),
        }
        place = place.after(content);
        start += line.len();
    }
    comments
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In ordinary YAML.
    Plain,
    /// In a block scalar whose lines are indented by more than `parent` columns; `indent` is set by its first line.
    Block {
        parent: Option<usize>,
        indent: Option<usize>,
    },
    /// In a quoted value that is still open.
    Quoted(char),
}

impl Place {
    /// Leaves a block scalar at the first line that is indented less; a comment there does not end it.
    fn before(self, line: &str) -> Self {
        let Place::Block { parent, indent } = self else {
            return self;
        };
        let content = line.trim_start_matches(' ');
        let column = line.len() - content.len();
        let least = indent.unwrap_or(parent.map_or(0, |column| column + 1));
        match content.trim_start() {
            "" => self,
            _ if column >= least => Place::Block {
                parent,
                indent: indent.or(Some(column)),
            },
            comment if comment.starts_with('#') => self,
            _ => Place::Plain,
        }
    }

    /// Enters a block scalar or a quoted value that starts on the line, or leaves a quoted one that ends on it.
    fn after(self, line: &str) -> Self {
        match self {
            Place::Block { .. } => self,
            Place::Quoted(quote) => match after_quote(line, quote) {
                Some(_) => Place::Plain,
                None => self,
            },
            Place::Plain => opened_by(line),
        }
    }
}

fn is_inside_block(place: &Place, line: &str) -> bool {
    let Place::Block { parent, indent } = place else {
        return false;
    };
    let column = line.len() - line.trim_start_matches(' ').len();
    column >= indent.unwrap_or(parent.map_or(0, |column| column + 1))
}

/// Says what a line of ordinary YAML leaves open.
fn opened_by(line: &str) -> Place {
    let (parent, value) = last_value(line);
    let value = without_properties(value);
    if let Some(quote @ ('"' | '\'')) = value.chars().next() {
        return match after_quote(&value[1..], quote) {
            Some(_) => Place::Plain,
            None => Place::Quoted(quote),
        };
    }
    let Some(header) = value.strip_prefix(['|', '>']) else {
        return Place::Plain;
    };
    let flags = header.trim_start_matches(['+', '-', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    let is_header = flags.trim().is_empty()
        || flags.trim_start().starts_with('#') && flags.starts_with([' ', '\t']);
    let digit = header[..header.len() - flags.len()]
        .chars()
        .find_map(|c| c.to_digit(10));
    let indent = digit.map(|digit| parent.map_or(0, |column| column) + digit as usize);
    if is_header {
        Place::Block { parent, indent }
    } else {
        Place::Plain
    }
}

/// Finds the value that ends a line, and the column that its block must be indented more than.
fn last_value(line: &str) -> (Option<usize>, &str) {
    let mut rest = line.trim_start_matches(' ');
    let mut parent = None;
    while let Some(item) = rest.strip_prefix("- ").or(rest.strip_prefix("? ")) {
        parent = Some(line.len() - rest.len());
        rest = item.trim_start_matches(' ');
    }
    match after_key(rest) {
        Some(value) => (Some(line.len() - rest.len()), value.trim_start()),
        None => (parent, rest),
    }
}

/// Gives what follows the first `: ` that stands behind a key.
fn after_key(text: &str) -> Option<&str> {
    let key = match text.chars().next()? {
        quote @ ('"' | '\'') => after_quote(&text[1..], quote)?,
        '#' | '[' | '|' | '>' => return None,
        '{' if !text.starts_with("{{") => return None,
        _ => text,
    };
    key.split_once(": ").map(|(_, value)| value)
}

/// Drops tags and anchors before a value.
fn without_properties(value: &str) -> &str {
    match value.split_once(' ') {
        Some((property, rest)) if property.starts_with(['!', '&']) => {
            without_properties(rest.trim_start())
        }
        _ => value,
    }
}

/// Gives what follows the quote that closes a value; `None` when it stays open.
fn after_quote(text: &str, quote: char) -> Option<&str> {
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        let next = text[at + c.len_utf8()..].chars().next();
        match c {
            '\\' if quote == '"' => drop(characters.next()),
            '\'' if quote == '\'' && next == Some('\'') => drop(characters.next()),
            c if c == quote => return Some(&text[at + 1..]),
            _ => {}
        }
    }
    None
}

/// Finds a comment at the end of a line where quotes and actions cannot be mistaken, and it would be rendered.
fn trailing(line: &str) -> Option<usize> {
    let at = [" #", "\t#"]
        .iter()
        .filter_map(|mark| line.find(mark))
        .min()?;
    let (before, comment) = line.split_at(at);
    let is_plain = !before.contains(['"', '\''])
        && before.matches("{{").count() == before.matches("}}").count();
    (is_plain && (comment.contains("{{") || comment.contains('$'))).then_some(at)
}

//! The instructions of a Dockerfile and the lines that hold them, for changing the file and for showing parts of it.

use std::sync::LazyLock;

use regex::Regex;

/// A word that begins a here-document, and the document's name.
static HERE_DOCUMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^[0-9]*<<(-?)["']?([A-Za-z_][A-Za-z0-9_]*)["']?$"#).expect("a constant")
});

/// An instruction, with the lines that hold it.
#[derive(Debug)]
pub(super) struct Instruction {
    /// Its word, in capitals.
    pub(super) word: String,
    /// Its first line, from 0.
    pub(super) line: usize,
    /// Its last line, here-documents among them.
    pub(super) last_line: usize,
    /// What follows the word, lines joined; of what copies, also its here-documents.
    pub(super) rest: String,
    /// Where its script begins, behind its options: line and byte.
    pub(super) script: (usize, usize),
    /// Its first here-document.
    pub(super) document: Option<Document>,
}

/// A here-document.
#[derive(Debug)]
pub(super) struct Document {
    /// Its first line, from 0.
    pub(super) line: usize,
    /// Its text.
    pub(super) text: String,
}

impl Instruction {
    /// Gives what follows its options.
    pub(super) fn script_text(&self) -> &str {
        let mut rest = self.rest.trim_start();
        while rest.starts_with("--") {
            let after = rest.split_once(char::is_whitespace);
            rest = after.map_or("", |(_, rest)| rest.trim_start());
        }
        rest.trim_end()
    }

    /// Tells whether its script is a here-document and nothing else.
    pub(super) fn is_document(&self) -> bool {
        HERE_DOCUMENT.is_match(self.script_text())
    }
}

/// Reads the lines of a Dockerfile.
pub(super) fn read(lines: &[&str]) -> Vec<Instruction> {
    let escape = directive(lines, "escape").and_then(|value| value.chars().next());
    let escape = escape.unwrap_or('\\');
    let mut instructions = Vec::new();
    let mut next = 0;
    while next < lines.len() {
        let Some(instruction) = instruction(lines, next, escape) else {
            next += 1;
            continue;
        };
        next = instruction.last_line + 1;
        instructions.push(instruction);
    }
    instructions
}

/// Finds a directive among the comments that begin the file: `# name=value`.
pub(super) fn directive<'a>(lines: &[&'a str], name: &str) -> Option<&'a str> {
    let comments = lines.iter().map_while(|line| line.trim().strip_prefix('#'));
    let pairs = comments.map_while(|comment| comment.split_once('='));
    let mut found = pairs.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.trim())
}

fn is_empty(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

fn instruction(lines: &[&str], first: usize, escape: char) -> Option<Instruction> {
    if is_empty(lines[first]) {
        return None;
    }
    let text = lines[first].trim_start();
    let indent = lines[first].len() - text.len();
    let word_bytes = text.find(char::is_whitespace).unwrap_or(text.len());
    let mut last = first;
    // Each part of the text: its line, where in it, and the words.
    let mut parts = vec![(first, indent + word_bytes, &text[word_bytes..])];
    while let Some((_, _, part)) = parts.last_mut()
        && let Some(continued) = part.trim_end().strip_suffix(escape)
    {
        *part = continued;
        let Some(next) = (last + 1..lines.len()).find(|line| !is_empty(lines[*line])) else {
            break;
        };
        last = next;
        parts.push((next, 0, lines[next]));
    }
    let mut instruction = Instruction {
        word: text[..word_bytes].to_uppercase(),
        line: first,
        last_line: last,
        rest: parts
            .iter()
            .map(|(_, _, part)| *part)
            .collect::<Vec<_>>()
            .concat(),
        script: script(&parts),
        document: None,
    };
    if matches!(instruction.word.as_str(), "RUN" | "COPY" | "ADD") {
        take_documents(&mut instruction, lines);
    }
    Some(instruction)
}

/// Finds the first word that is no option.
fn script(parts: &[(usize, usize, &str)]) -> (usize, usize) {
    for (line, start, part) in parts {
        let mut at = 0;
        loop {
            at += part[at..].len() - part[at..].trim_start().len();
            if at >= part.len() {
                break;
            }
            if !part[at..].starts_with("--") {
                return (*line, start + at);
            }
            at += part[at..]
                .find(char::is_whitespace)
                .unwrap_or(part.len() - at);
        }
    }
    parts
        .last()
        .map_or((0, 0), |(line, start, _)| (*line, *start))
}

/// Takes the lines of here-documents to the instruction that begins them.
fn take_documents(instruction: &mut Instruction, lines: &[&str]) {
    let words: Vec<String> = instruction
        .rest
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    for begin in words.iter().filter_map(|word| HERE_DOCUMENT.captures(word)) {
        let line = instruction.last_line + 1;
        let tabs: &[char] = if begin[1].is_empty() { &[] } else { &['\t'] };
        let is_end =
            |text: &&str| text.trim_end_matches(['\r', '\n']).trim_start_matches(tabs) == &begin[2];
        let body = lines.get(line..).unwrap_or_default();
        let count = body.iter().position(is_end).unwrap_or(body.len());
        let text = body[..count].concat();
        instruction.last_line = (line + count).min(lines.len().saturating_sub(1));
        if instruction.word != "RUN" {
            instruction.rest.push_str(&text);
        }
        instruction.document.get_or_insert(Document { line, text });
    }
}

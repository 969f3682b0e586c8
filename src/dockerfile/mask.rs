//! Blots out here-documents, so that what stands in them is not taken for instructions.
//!
//! The masked text is as long as the text itself: every place in it is a place of the file.

use std::{borrow::Cow, ops::Range, sync::LazyLock};

use regex::Regex;

use super::logical::Lines;
use crate::text::{Diagnostic, Diagnostics};

/// A word that begins a here-document: a file descriptor, `<<`, `-` where tabs are cut off, and its name.
static HERE_DOCUMENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^[0-9]*<<(-?)([^<]+)$").expect("a constant"));

/// A line that looks like the begin of a stage.
static STAGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?i:FROM)\s+(?:--platform=\S+\s+)?[\w./:@${}-]+(?:\s+(?i:AS)\s+\S+)?\s*$")
        .expect("a constant")
});

/// Masks a text, whose escape character is known.
pub(super) fn mask(text: &str, escape: char) -> (Cow<'_, str>, Diagnostics) {
    let mut masked = Masked {
        text,
        bytes: None,
        found: Diagnostics::default(),
    };
    let mut lines = Lines::new(text);
    while let Some(parts) = lines.next_instruction(escape) {
        masked.warn_of_swallowed(&parts);
        for document in documents(text, &parts) {
            masked.document(&document, &mut lines);
        }
        masked.escaped_end(parts.last(), escape);
    }
    let bytes = masked.bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = bytes.map_or(Cow::Borrowed(text), Cow::Owned);
    (text, masked.found)
}

struct Masked<'a> {
    text: &'a str,
    /// The masked text, once there is something to mask.
    bytes: Option<Vec<u8>>,
    found: Diagnostics,
}

impl Masked<'_> {
    fn write(&mut self, range: Range<usize>, byte: u8) {
        let whole = self.text.as_bytes();
        let bytes = self.bytes.get_or_insert_with(|| whole.to_vec());
        bytes[range].fill(byte);
    }

    /// Masks the word and every line up to the one that ends the here-document.
    fn document(&mut self, document: &Document, lines: &mut Lines<'_>) {
        for place in &document.places {
            self.write(*place..place + 1, b':');
        }
        while let Some(line) = lines.next() {
            let text = &self.text[line.clone()];
            let tabs = if document.cuts_tabs { &['\t'][..] } else { &[] };
            let is_end = text.trim_start_matches(tabs) == document.name;
            if !line.is_empty() {
                self.write(line.start..line.start + 1, b'#');
                self.write(line.start + 1..line.end, b' ');
            }
            if is_end {
                return;
            }
        }
        let (Some(start), Some(end)) = (document.places.first(), document.places.last()) else {
            return;
        };
        let message = format!("the here-document `{}` has no end", document.name);
        let help = format!(
            "end it with a line that says {} and nothing else",
            document.name
        );
        let finding = Diagnostic::error("open-here-document", message).at(*start..end + 1);
        self.found.push(finding.help(help));
    }

    /// Hides an escape character at the end of a line that is itself escaped: the line does not go on.
    fn escaped_end(&mut self, last: Option<&Range<usize>>, escape: char) {
        let Some(line) = last else { return };
        let text = self.text[line.clone()].trim_end_matches([' ', '\t']);
        let before = text.strip_suffix(escape).unwrap_or_default();
        if before.ends_with(escape) {
            let end = line.start + text.len();
            self.write(end - 1..end, b':');
        }
    }

    /// Warns of a `FROM` that the line before it makes a part of another instruction.
    fn warn_of_swallowed(&mut self, parts: &[Range<usize>]) {
        for line in parts.iter().skip(1) {
            let text = &self.text[line.clone()];
            if text.len() < 400 && STAGE.is_match(text) {
                let finding = Diagnostic::warning("swallowed-from", "this FROM begins no stage")
                    .at(line.clone())
                    .label("the line before goes on here")
                    .help("drop the escape character at the end of the line before");
                self.found.push(finding);
            }
        }
    }
}

/// A here-document that an instruction begins.
struct Document {
    /// Where each byte of its word stands.
    places: Vec<usize>,
    name: String,
    cuts_tabs: bool,
}

/// Finds the here-documents of an instruction that can have some.
fn documents(text: &str, parts: &[Range<usize>]) -> Vec<Document> {
    if !parts.iter().any(|part| text[part.clone()].contains("<<")) {
        return Vec::new();
    }
    let places: Vec<usize> = parts.iter().cloned().flatten().collect();
    let joined: String = parts.iter().map(|part| &text[part.clone()]).collect();
    let mut keywords = joined.split_whitespace().map(str::to_ascii_uppercase);
    let mut keyword = keywords.next();
    if keyword.as_deref() == Some("ONBUILD") {
        keyword = keywords.next();
    }
    if !matches!(keyword.as_deref(), Some("RUN" | "COPY" | "ADD")) {
        return Vec::new();
    }
    let words = words(&joined).unwrap_or_default();
    let document = |word: Range<usize>| {
        let captures = HERE_DOCUMENT.captures(&joined[word.clone()])?;
        Some(Document {
            places: places[word].to_vec(),
            name: unquoted(&captures[2])?,
            cuts_tabs: !captures[1].is_empty(),
        })
    };
    words.into_iter().filter_map(document).collect()
}

/// Splits an instruction at blanks outside of quotes; `None` when a quote is left open.
fn words(text: &str) -> Option<Vec<Range<usize>>> {
    let mut words = Vec::new();
    let (mut start, mut quote) = (None, None);
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter.is_whitespace() && quote.is_none() {
            words.extend(start.take().map(|start| start..at));
            continue;
        }
        start.get_or_insert(at);
        match (letter, quote) {
            ('\\', None | Some('"')) => drop(letters.next()),
            ('\'' | '"', None) => quote = Some(letter),
            (_, Some(open)) if letter == open => quote = None,
            _ => {}
        }
    }
    words.extend(start.map(|start| start..text.len()));
    quote.is_none().then_some(words)
}

/// Takes quotes and escapes off the name of a here-document; `None` when nothing is left.
fn unquoted(name: &str) -> Option<String> {
    let mut bare = String::new();
    let mut quote = None;
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => bare.extend(letters.next()),
            ('\'' | '"', None) => quote = Some(letter),
            (_, Some(open)) if letter == open => quote = None,
            _ => bare.push(letter),
        }
    }
    Some(bare).filter(|bare| !bare.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let (masked, _) = mask(text, '\\');
        assert_eq!(masked.len(), text.len());
        masked.into_owned()
    }

    #[test]
    fn here_documents_are_blotted_out_to_their_last_line() {
        for (text, expected) in [
            ("RUN <<E\nFROM x\nE\nRUN a", "RUN :::\n#     \n#\nRUN a"),
            (
                "RUN cat <<A <<B\nx\nA\ny\nB\n",
                "RUN cat ::: :::\n#\n#\n#\n#\n",
            ),
            ("COPY <<-'E' /x\n\tE\nRUN a", "COPY :::::: /x\n# \nRUN a"),
            (
                "ONBUILD RUN a \\\n 3<<E >o\né\nE\n",
                "ONBUILD RUN a \\\n :::: >o\n# \n#\n",
            ),
            ("RUN <<\"E F\"\nE\nE F\nX", "RUN :::::::\n#\n#  \nX"),
            ("run <<E\r\nE\r\nX", "run :::\r\n#\r\nX"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn what_is_no_here_document_stays() {
        for text in [
            "CMD <<E\nE",
            "RUN a<<E\nE",
            "RUN echo \"<<E\"\nE",
            "RUN cat << E\nE",
            "RUN cat <<<E\nE",
            "RUN it's <<E\nE",
            "# RUN <<E\nE",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn a_here_document_without_an_end_is_underlined() {
        let (_, found) = mask("FROM a\nRUN x <<END\nfoo\n", '\\');
        let finding = found.iter().next().expect("a finding");
        assert_eq!(finding.span, Some((13..18).into()));
        assert!(found.has_errors());
    }

    #[test]
    fn a_stage_behind_an_escaped_line_end_is_warned_of() {
        let warns = |text: &str| !mask(text, '\\').1.is_empty();
        assert!(warns("FROM a\nRUN x \\\nFROM b AS c\n"));
        assert!(warns("FROM a\nRUN x \\\n\n# y\nFROM b\n"));
        assert!(!warns("FROM a\nRUN sql 'SELECT a \\\n FROM b WHERE c'\n"));
        assert!(!warns("FROM a\nRUN x \\\\\nFROM b\n"));
    }
}

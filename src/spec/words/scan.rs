//! Walks over a line with the quoting rules of a POSIX shell.

use super::substitution::Finder;
use super::{Broken, Expansion, Word, Words};
use crate::text::Span;

/// Splits a line. Newlines are blanks: a folded YAML text is one line to a reader.
pub fn split(text: &str) -> Words {
    let mut scanner = Scanner {
        text,
        at: 0,
        open: None,
        ends: Finder::new(text),
        found: Words::default(),
    };
    while let Some(next) = scanner.peek() {
        scanner.unquoted(next);
    }
    scanner.end_word(scanner.at);
    scanner.found
}

/// What has been read so far.
struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// The word being read.
    open: Option<Word>,
    ends: Finder<'t>,
    found: Words,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Reads on from a character outside quotes.
    fn unquoted(&mut self, next: char) {
        match next {
            ' ' | '\t' | '\n' => {
                self.end_word(self.at);
                self.at += 1;
            }
            '#' if self.open.is_none() => self.comment(),
            '\'' => self.single_quoted(),
            '"' => self.double_quoted(),
            '\\' => self.escaped(),
            '&' | '|' | ';' | '<' | '>' | '(' | ')' | '`' => self.operator(),
            '$' if self.rest().starts_with("$(") => self.operator(),
            '$' => {
                let end = self.expansion_end();
                self.note(end);
                self.keep('$');
            }
            '*' => {
                self.note(Some(self.at + 1));
                self.keep('*');
            }
            '~' if self.open.is_none() => {
                self.note(Some(self.at + 1));
                self.keep('~');
            }
            other => self.keep(other),
        }
    }

    /// Drops the rest of the line after a `#` that starts a word.
    fn comment(&mut self) {
        let start = self.at;
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        self.found.comments.push(Span::new(start, self.at));
    }

    fn single_quoted(&mut self) {
        let start = self.at;
        self.word();
        self.at += 1;
        match self.rest().find('\'') {
            Some(length) => {
                self.append(self.at + length);
                self.at += 1;
            }
            None => {
                self.append(self.text.len());
                self.found.broken = Some((Span::new(start, self.at), Broken::Quote('\'')));
            }
        }
    }

    fn double_quoted(&mut self) {
        let start = self.at;
        self.word();
        self.at += 1;
        while let Some(next) = self.peek() {
            match next {
                '"' => {
                    self.at += 1;
                    return;
                }
                '\\' => self.escaped_in_quotes(),
                '$' => self.dollar_in_quotes(),
                '`' => {
                    self.note(Some(self.at + 1));
                    self.keep('`');
                }
                other => self.keep(other),
            }
        }
        self.found.broken = Some((Span::new(start, self.at), Broken::Quote('"')));
    }

    /// Inside double quotes a backslash escapes five characters only, and stays before all others.
    fn escaped_in_quotes(&mut self) {
        self.at += 1;
        match self.peek() {
            Some('\n') => self.at += 1,
            Some(next @ ('$' | '`' | '"' | '\\')) => self.keep(next),
            _ => self.word().text.push('\\'),
        }
    }

    /// Keeps `$(…)` and `${…}` inside double quotes whole: the quotes in them are their own.
    fn dollar_in_quotes(&mut self) {
        let end = match self.text.as_bytes().get(self.at + 1) {
            Some(b'(') => self.ends.parenthesised(self.at + 2),
            Some(b'{') => self.ends.braced(self.at + 2),
            _ => None,
        };
        let noted = end.or_else(|| self.expansion_end());
        self.note(noted);
        match end {
            Some(end) => self.append(end),
            None => self.keep('$'),
        }
    }

    /// Takes the character after a backslash as it is; a backslash at a line's end joins the lines.
    fn escaped(&mut self) {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            Some('\n') => self.at += 1,
            Some(next) => {
                self.word_from(start);
                self.keep(next);
            }
            None => {
                self.word_from(start).text.push('\\');
                self.found.broken = Some((Span::new(start, self.at), Broken::Backslash));
            }
        }
    }

    /// Ends the word before an operator and steps over the operator.
    fn operator(&mut self) {
        self.end_word(self.at);
        let start = self.at;
        let length = match self.rest().as_bytes() {
            [b'$', ..] => self
                .ends
                .parenthesised(start + 2)
                .map_or(2, |end| end - start),
            [b'`', rest @ ..] => rest.iter().position(|b| *b == b'`').map_or(1, |n| n + 2),
            [b'(' | b')', ..] => 1,
            bytes => bytes.iter().take_while(|b| b"&|;<>".contains(b)).count(),
        };
        self.at += length;
        let span = Span::new(start, self.at);
        self.found.operator.get_or_insert(span);
    }

    /// The word being read, begun here if none is.
    fn word(&mut self) -> &mut Word {
        self.word_from(self.at)
    }

    fn word_from(&mut self, start: usize) -> &mut Word {
        self.open.get_or_insert_with(|| Word {
            text: String::new(),
            span: Span::new(start, start),
        })
    }

    /// Adds one character to the word and steps over it.
    fn keep(&mut self, next: char) {
        self.word().text.push(next);
        self.at += next.len_utf8();
    }

    /// Adds the text up to `end` to the word as it is and steps over it.
    fn append(&mut self, end: usize) {
        let text = self.text;
        let start = self.at;
        self.word().text.push_str(&text[start..end]);
        self.at = end;
    }

    fn end_word(&mut self, end: usize) {
        if let Some(mut word) = self.open.take() {
            word.span.end = end;
            self.found.words.push(word);
        }
    }

    /// Remembers that a shell would have expanded the text from here to `end`.
    fn note(&mut self, end: Option<usize>) {
        if let Some(end) = end {
            self.found.expansions.push(Expansion {
                span: Span::new(self.at, end),
                word: self.found.words.len(),
            });
        }
    }

    /// Finds the end of the variable whose `$` is next; `None` when the `$` stands for itself.
    fn expansion_end(&mut self) -> Option<usize> {
        let name = self.at + 1;
        let rest = &self.text.as_bytes()[name..];
        let is_name = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_';
        match rest.first()? {
            b'{' => Some(self.ends.braced(name + 1).unwrap_or(name + 1)),
            b'(' | b'@' | b'#' | b'?' | b'-' | b'!' | b'*' | b'$' | b'0'..=b'9' => Some(name + 1),
            first if is_name(&first) => Some(name + rest.iter().take_while(is_name).count()),
            _ => None,
        }
    }
}

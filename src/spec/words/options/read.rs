//! Walks over words and applies the options of a table.

use super::{Apply, Grammar, Row, Treatment};
use crate::spec::words::Word;
use crate::text::{Diagnostic, Diagnostics, Level, Span, did_you_mean};

/// Reads options into `target`; returns the indices of the words that are none.
pub fn read<T>(words: &[Word], grammar: &Grammar<T>, target: &mut T) -> (Vec<usize>, Diagnostics) {
    let mut reader = Reader {
        words,
        grammar,
        target,
        next: 0,
        found: Diagnostics::default(),
    };
    let positional = reader.all();
    (positional, reader.found)
}

/// The state of one reading.
struct Reader<'a, T: 'static> {
    words: &'a [Word],
    grammar: &'a Grammar<T>,
    target: &'a mut T,
    next: usize,
    found: Diagnostics,
}

impl<T> Reader<'_, T> {
    fn all(&mut self) -> Vec<usize> {
        let mut positional = Vec::new();
        while let Some(word) = self.words.get(self.next) {
            self.next += 1;
            match word.text.as_str() {
                "--" => {
                    positional.extend(self.next..self.words.len());
                    break;
                }
                text if text.starts_with("--") => self.long(word),
                text if text.starts_with('-') && text.len() > 1 => self.short(word),
                _ if self.grammar.interspersed => positional.push(self.next - 1),
                _ => {
                    positional.extend(self.next - 1..self.words.len());
                    break;
                }
            }
        }
        positional
    }

    /// Reads `--name`, `--name value` or `--name=value`.
    fn long(&mut self, word: &Word) {
        let body = &word.text[2..];
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (body, None),
        };
        let Some(row) = self.grammar.rows.iter().find(|row| row.long == name) else {
            return self.unknown(name, word.span);
        };
        let given = value.map(|value| (value, word.span_from(name.len() + 3)));
        self.option(row, word, given);
    }

    /// Reads `-x`, `-x value`, `-xvalue`, `-x=value` and switches run together, such as `-it`.
    fn short(&mut self, word: &Word) {
        let bytes = word.text.as_bytes();
        let mut at = 1;
        while let Some(letter) = bytes.get(at) {
            let Some(row) = self.by_letter(*letter) else {
                return self.unknown_letter(&word.text[at..], word.span);
            };
            at += 1;
            let rest = &word.text[at..];
            if let Some(value) = rest.strip_prefix('=').filter(|value| !value.is_empty()) {
                return self.option(row, word, Some((value, word.span_from(at + 1))));
            }
            if row.switch {
                self.option(row, word, None);
            } else {
                let attached = (!rest.is_empty()).then(|| (rest, word.span_from(at)));
                return self.option(row, word, attached);
            }
        }
    }

    fn by_letter(&self, letter: u8) -> Option<&'static Row<T>> {
        self.grammar
            .rows
            .iter()
            .find(|row| row.short == Some(letter))
    }

    /// Takes the value from the next word where none is attached, and treats the option.
    fn option(&mut self, row: &'static Row<T>, word: &Word, attached: Option<(&str, Span)>) {
        let (value, span) = match attached {
            Some((value, span)) => (value, span),
            None if row.switch => ("true", word.span),
            None => match self.words.get(self.next) {
                Some(value) => {
                    self.next += 1;
                    (value.text.as_str(), value.span)
                }
                None => return self.valueless(row, word.span),
            },
        };
        match &row.treatment {
            Treatment::Apply(apply) => self.apply(row, *apply, value, span),
            Treatment::Ignore(reason) => self.ignored(row, reason, word.span),
            Treatment::Refuse(reason) => self.refused(row, reason, word.span),
        }
    }

    fn apply(&mut self, row: &Row<T>, apply: Apply<T>, value: &str, span: Span) {
        let result = match value {
            value if !row.switch => apply(self.target, value),
            "1" | "t" | "T" | "true" | "TRUE" | "True" => apply(self.target, "true"),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => apply(self.target, "false"),
            other => Err(format!("`{other}` is neither true nor false").into()),
        };
        let Err(problem) = result else { return };
        let message = format!("--{}: {}", row.long, problem.message);
        let diagnostic = match problem.level {
            Level::Error => Diagnostic::error("option-value", message),
            Level::Warning => Diagnostic::warning("option-dropped", message),
        };
        let diagnostic = diagnostic.at(span);
        self.found.push(match problem.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }

    fn ignored(&mut self, row: &Row<T>, reason: &str, span: Span) {
        let message = format!("--{} makes no difference: {reason}", row.long);
        self.found
            .push(Diagnostic::warning("option-ignored", message).at(span));
    }

    fn refused(&mut self, row: &Row<T>, reason: &str, span: Span) {
        let message = format!("--{} is not supported: {reason}", row.long);
        self.found
            .push(Diagnostic::error("option-refused", message).at(span));
    }

    fn valueless(&mut self, row: &Row<T>, span: Span) {
        let message = format!("--{} needs a value", row.long);
        self.found
            .push(Diagnostic::error("option-value", message).at(span));
    }

    fn unknown(&mut self, name: &str, span: Span) {
        let command = self.grammar.command;
        let message = format!("{command} has no option --{name}");
        let diagnostic = Diagnostic::error("option-unknown", message).at(span);
        self.found.push(match self.nearest(name) {
            Some(near) => diagnostic.help(format!("did you mean --{near}?")),
            None => diagnostic,
        });
    }

    /// Reports an unknown letter; `-name` is often meant as `--name`.
    fn unknown_letter(&mut self, rest: &str, span: Span) {
        let command = self.grammar.command;
        let letter = rest.chars().next().unwrap_or('-');
        let message = format!("{command} has no option -{letter}");
        let diagnostic = Diagnostic::error("option-unknown", message).at(span);
        let name = rest.split('=').next().unwrap_or(rest);
        let near = (name.len() > 1).then(|| self.nearest(name)).flatten();
        self.found.push(match near {
            Some(near) => diagnostic.help(format!("did you mean --{near}?")),
            None => diagnostic,
        });
    }

    /// Finds the option whose name is near enough to be meant.
    fn nearest(&self, name: &str) -> Option<&'static str> {
        did_you_mean(name, self.grammar.rows.iter().map(|row| row.long))
    }
}

//! Reads the words inside one action.
use super::token::{Keyword, Kind, Token};
use super::{BLANKS, blanks, right_delimiter};
use crate::template::error::Located;
use crate::template::value::classes::{is_digit, is_letter};

/// Walks through one action, word by word.
pub(super) struct Scanner<'s> {
    source: &'s str,
    position: usize,
    /// Where the action's first word may stand.
    action: usize,
    start: usize,
    parentheses: usize,
}

impl<'s> Scanner<'s> {
    pub(super) fn new(source: &'s str, position: usize) -> Self {
        Scanner {
            source,
            position,
            action: position,
            start: position,
            parentheses: 0,
        }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Reads the next word; closing braces also take the blanks they trim.
    pub(super) fn next(&mut self) -> Result<Token, Located> {
        let after_space = self.skip_blanks();
        self.start = self.position;
        if let Some((length, trims)) = right_delimiter(self.rest()) {
            return self.close(length, trims, after_space);
        }
        let kind = self.word()?;
        Ok(Token {
            kind,
            span: self.start..self.position,
            after_space,
        })
    }

    fn close(&mut self, length: usize, trims: bool, after_space: bool) -> Result<Token, Located> {
        if self.parentheses > 0 {
            return Err(self.fault("unclosed left paren"));
        }
        self.position += length;
        let span = self.start..self.position;
        if trims {
            self.position += blanks(self.rest());
        }
        Ok(Token {
            kind: Kind::RightDelimiter,
            span,
            after_space,
        })
    }

    /// Skips blanks, except the one that belongs to a trimming ` -}}`.
    fn skip_blanks(&mut self) -> bool {
        let length = blanks(self.rest());
        let trimming = length > 0 && self.rest()[length..].starts_with("-}}");
        self.position += if trimming { length - 1 } else { length };
        length > usize::from(trimming)
    }

    fn word(&mut self) -> Result<Kind, Located> {
        let Some(character) = self.advance() else {
            // Shown where the action begins: its end is nowhere.
            let begun = self.source[self.action..].trim_end();
            let line = begun.split('\n').next().unwrap_or(begun);
            let span = self.action..self.action + line.len();
            return Err(Located::new(span, "unclosed action"));
        };
        match character {
            '=' => Ok(Kind::Assign),
            ':' if self.advance() == Some('=') => Ok(Kind::Declare),
            ':' => Err(self.fault("expected :=")),
            '|' => Ok(Kind::Pipe),
            '"' => self
                .quoted('"', "unterminated quoted string")
                .map(|()| Kind::Quoted),
            '\'' => self
                .quoted('\'', "unterminated character constant")
                .map(|()| Kind::Character),
            '`' => self.raw(),
            '$' => self.name(Kind::Variable, Kind::Variable),
            '.' if !self.peek().is_some_and(|next| next.is_ascii_digit())
                && self.peek().is_some() =>
            {
                self.name(Kind::Dot, Kind::Field)
            }
            '.' | '+' | '-' | '0'..='9' => self.number(),
            '(' => {
                self.parentheses += 1;
                Ok(Kind::LeftParenthesis)
            }
            ')' => self.close_parenthesis(),
            ',' => Ok(Kind::Comma),
            other if is_alphanumeric(other) => self.identifier(),
            other if (' '..='~').contains(&other) => Ok(Kind::Other),
            other => Err(self.fault(&format!(
                "unrecognized character in action: {}",
                code_point(other)
            ))),
        }
    }

    fn close_parenthesis(&mut self) -> Result<Kind, Located> {
        let Some(open) = self.parentheses.checked_sub(1) else {
            return Err(self.fault("unexpected right paren"));
        };
        self.parentheses = open;
        Ok(Kind::RightParenthesis)
    }

    fn quoted(&mut self, quote: char, unterminated: &str) -> Result<(), Located> {
        loop {
            match self.advance() {
                Some('\\') if !matches!(self.advance(), None | Some('\n')) => {}
                None | Some('\n' | '\\') => return Err(self.fault(unterminated)),
                Some(character) if character == quote => return Ok(()),
                Some(_) => {}
            }
        }
    }

    fn raw(&mut self) -> Result<Kind, Located> {
        let length = self
            .rest()
            .find('`')
            .ok_or_else(|| self.fault("unterminated raw quoted string"))?;
        self.position += length + 1;
        Ok(Kind::Raw)
    }

    fn name(&mut self, alone: Kind, named: Kind) -> Result<Kind, Located> {
        if self.at_terminator() {
            return Ok(alone);
        }
        self.finish_name()?;
        Ok(named)
    }

    fn identifier(&mut self) -> Result<Kind, Located> {
        self.finish_name()?;
        Ok(match &self.source[self.start..self.position] {
            "true" | "false" => Kind::Bool,
            word => Keyword::from_word(word).map_or(Kind::Identifier, Kind::Keyword),
        })
    }

    fn finish_name(&mut self) -> Result<(), Located> {
        while self.peek().is_some_and(is_alphanumeric) {
            self.advance();
        }
        match self.peek() {
            Some(bad) if !self.at_terminator() => {
                Err(self.fault(&format!("bad character {}", code_point(bad))))
            }
            _ => Ok(()),
        }
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(character) => BLANKS.contains(&character) || self.rest().starts_with("}}"),
        }
    }

    fn number(&mut self) -> Result<Kind, Located> {
        self.position = self.start;
        let bad = |scanner: &Self| {
            scanner.fault(&format!(
                "bad number syntax: {:?}",
                &scanner.source[scanner.start..scanner.position]
            ))
        };
        if !self.scan_number() {
            return Err(bad(self));
        }
        if !matches!(self.peek(), Some('+' | '-')) {
            return Ok(Kind::Number);
        }
        if self.scan_number() && self.source[..self.position].ends_with('i') {
            return Ok(Kind::Complex);
        }
        Err(bad(self))
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.advance();
            return false;
        }
        true
    }

    fn accept(&mut self, valid: &str) -> bool {
        let accepted = self
            .peek()
            .is_some_and(|character| valid.contains(character));
        if accepted {
            self.advance();
        }
        accepted
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn rest(&self) -> &'s str {
        &self.source[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.position += character.len_utf8();
        Some(character)
    }

    fn fault(&self, message: &str) -> Located {
        Located::new(self.start..self.position.max(self.start), message)
    }
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || is_letter(character) || is_digit(character)
}

fn code_point(character: char) -> String {
    format!("U+{:04X} '{character}'", u32::from(character))
}

//! Cuts a template into tokens: text between actions, and the words inside them.
mod scan;
mod token;

pub use token::{Keyword, Kind, Token};

use super::error::Located;
use scan::Scanner;

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
const BLANKS: &[char] = &[' ', '\t', '\r', '\n'];

/// Cuts the whole source into at most `most` words; the last token is always [`Kind::End`].
pub fn tokens(source: &str, most: usize) -> Result<Vec<Token>, Located> {
    let mut lexer = Lexer {
        most,
        source,
        position: 0,
        tokens: Vec::new(),
    };
    while lexer.text() {
        lexer.action()?;
    }
    lexer.push(Kind::End, source.len(), false);
    Ok(lexer.tokens)
}

struct Lexer<'s> {
    source: &'s str,
    position: usize,
    tokens: Vec<Token>,
    most: usize,
}

impl Lexer<'_> {
    fn push(&mut self, kind: Kind, start: usize, after_space: bool) {
        self.tokens.push(Token {
            kind,
            span: start..self.position,
            after_space,
        });
    }

    fn rest(&self) -> &str {
        &self.source[self.position..]
    }

    /// Takes the text up to the next action; says whether there is one.
    fn text(&mut self) -> bool {
        let start = self.position;
        let found = self.rest().find(LEFT);
        self.position = found.map_or(self.source.len(), |length| start + length);
        let resume = self.position;
        if found.is_some() && trims_left(&self.source[resume + LEFT.len()..]) {
            self.position = start + self.source[start..resume].trim_end_matches(BLANKS).len();
        }
        if self.position > start {
            self.push(Kind::Text, start, false);
        }
        self.position = resume;
        found.is_some()
    }

    /// Takes one action or comment, from its opening to its closing braces.
    fn action(&mut self) -> Result<(), Located> {
        let start = self.position;
        self.position += LEFT.len();
        let marker = if trims_left(self.rest()) { 2 } else { 0 };
        if self.rest()[marker..].starts_with("/*") {
            self.position += marker;
            return self.comment(start);
        }
        self.push(Kind::LeftDelimiter, start, false);
        self.position += usize::from(marker > 0);
        let mut scanner = Scanner::new(self.source, self.position);
        loop {
            let token = scanner.next()?;
            if self.tokens.len() == self.most {
                return Err(Located::new(
                    token.span,
                    format!("the template has more than {} words", self.most),
                ));
            }
            let closes = token.kind == Kind::RightDelimiter;
            self.tokens.push(token);
            if closes {
                self.position = scanner.position();
                return Ok(());
            }
        }
    }

    fn comment(&mut self, start: usize) -> Result<(), Located> {
        let fault = |message: &str| Located::new(start..start + LEFT.len(), message);
        let length = self.rest()[2..]
            .find("*/")
            .ok_or_else(|| fault("unclosed comment"))?;
        self.position += 2 + length + 2;
        let (length, trims) = right_delimiter(self.rest())
            .ok_or_else(|| fault("comment ends before closing delimiter"))?;
        self.position += length;
        if trims {
            self.position += blanks(self.rest());
        }
        Ok(())
    }
}

/// Says whether a dash and a blank follow the opening braces.
fn trims_left(after_delimiter: &str) -> bool {
    let mut characters = after_delimiter.chars();
    characters.next() == Some('-')
        && characters
            .next()
            .is_some_and(|character| BLANKS.contains(&character))
}

/// Finds closing braces here: their length, and whether they trim the text that follows.
fn right_delimiter(rest: &str) -> Option<(usize, bool)> {
    if rest.starts_with(RIGHT) {
        return Some((RIGHT.len(), false));
    }
    let trimming = rest.starts_with(BLANKS) && rest[1..].starts_with("-}}");
    trimming.then_some((2 + RIGHT.len(), true))
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches(BLANKS).len()
}

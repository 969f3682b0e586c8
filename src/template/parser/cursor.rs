//! Steps through the tokens and words the complaints about them.
use super::Parser;
use crate::template::error::{Fault, Located};
use crate::template::lexer::{Kind, Token};

/// Longest piece of the source that a message quotes, in characters.
const QUOTED_CHARACTERS: usize = 20;

impl Parser<'_> {
    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.position.min(self.tokens.len() - 1)]
    }

    pub(super) fn peek_second(&self) -> &Token {
        &self.tokens[(self.position + 1).min(self.tokens.len() - 1)]
    }

    pub(super) fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.skip(1);
        token
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.position += count;
    }

    pub(super) fn expect(&mut self, kind: Kind, context: &str) -> Result<Token, Located> {
        let token = self.next();
        if token.kind == kind {
            Ok(token)
        } else {
            Err(self.unexpected(&token, context))
        }
    }

    /// Complains about the token that comes next.
    pub(super) fn fault(&self, fault: impl Into<Fault>) -> Located {
        Located::new(self.peek().span.clone(), fault)
    }

    pub(super) fn unexpected(&self, token: &Token, context: &str) -> Located {
        let found = match token.kind {
            Kind::End => "EOF".to_owned(),
            Kind::Keyword(_) => format!("{{{{{}}}}}", &self.source[token.span.clone()]),
            _ => format!("{:?}", shorten(&self.source[token.span.clone()])),
        };
        Located::new(
            token.span.clone(),
            format!("unexpected {found} in {context}"),
        )
    }
}

/// Shortens a piece of the source for a message.
pub(in crate::template) fn shorten(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARACTERS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

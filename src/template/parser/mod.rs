//! Turns a template's tokens into a tree, refusing what Go refuses at parse time.
pub mod ast;
mod control;
mod cursor;
pub mod number;
mod pipeline;
pub mod quote;

pub(in crate::template) use cursor::shorten;

use super::error::Located;
use super::lexer::{self, Keyword, Kind};
use super::limits::Limits;
use super::value::Text;
use ast::{Body, Node, Template};
use std::rc::Rc;

/// Every word of a template must leave room for so many steps.
const STEPS_PER_WORD: usize = 4;

/// Parses a template with everything it defines.
pub fn parse(source: &str, limits: &Limits) -> Result<Template, Located> {
    if source.len() > limits.source_bytes {
        return Err(Located::new(
            0..0,
            format!("the template is longer than {} bytes", limits.source_bytes),
        ));
    }
    let mut parser = Parser {
        source,
        tokens: lexer::tokens(source, limits.steps as usize / STEPS_PER_WORD)?,
        position: 0,
        variables: vec!["$".into()],
        range_depth: 0,
        depth: 0,
        nesting: limits.nesting,
        template: Template::default(),
    };
    parser.whole()?;
    Ok(parser.template)
}

/// Is the state of one parse.
struct Parser<'s> {
    source: &'s str,
    tokens: Vec<lexer::Token>,
    position: usize,
    variables: Vec<Rc<str>>,
    range_depth: usize,
    depth: usize,
    nesting: usize,
    template: Template,
}

/// Is how a body ended.
enum BodyEnd {
    End,
    Else,
}

impl Parser<'_> {
    fn whole(&mut self) -> Result<(), Located> {
        let mut main = Body::new();
        loop {
            match (self.peek().kind, self.peek_second().kind) {
                (Kind::End, _) => break,
                (Kind::Text, _) => main.push(self.text()),
                (_, Kind::Keyword(Keyword::Define)) => self.definition()?,
                (_, Kind::Keyword(word @ (Keyword::End | Keyword::Else))) => {
                    self.skip(1);
                    let name = if word == Keyword::End {
                        "{{end}}"
                    } else {
                        "{{else}}"
                    };
                    return Err(self.fault(format!("unexpected {name}")));
                }
                _ => main.extend(self.action()?),
            }
        }
        self.template.main = Rc::new(main);
        Ok(())
    }

    /// Parses nodes up to the `end` or `else` that closes them, and takes that.
    fn body(&mut self) -> Result<(Body, BodyEnd), Located> {
        let mut body = Body::new();
        loop {
            match (self.peek().kind, self.peek_second().kind) {
                (Kind::End, _) => return Err(self.fault("unexpected EOF")),
                (Kind::Text, _) => body.push(self.text()),
                (_, Kind::Keyword(Keyword::End)) => {
                    self.skip(2);
                    self.expect(Kind::RightDelimiter, "end")?;
                    return Ok((body, BodyEnd::End));
                }
                (_, Kind::Keyword(Keyword::Else)) => {
                    self.skip(2);
                    return Ok((body, BodyEnd::Else));
                }
                _ => body.extend(self.action()?),
            }
        }
    }

    fn text(&mut self) -> Node {
        Node::Text(self.next().span)
    }

    /// Parses a body that closes with `end` alone, in a scope of its own.
    fn closed_body(&mut self, context: &str) -> Result<Body, Located> {
        let variables = std::mem::replace(&mut self.variables, vec!["$".into()]);
        let range_depth = std::mem::take(&mut self.range_depth);
        let (body, end) = self.nested(Self::body)?;
        if matches!(end, BodyEnd::Else) {
            return Err(self.fault(format!("unexpected {{{{else}}}} in {context}")));
        }
        self.variables = variables;
        self.range_depth = range_depth;
        Ok(body)
    }

    fn definition(&mut self) -> Result<(), Located> {
        self.skip(2);
        let name = self.template_name("define clause")?;
        self.expect(Kind::RightDelimiter, "define clause")?;
        let body = self.closed_body("define clause")?;
        self.define(name, body)
    }

    /// Records a named template; two that both say something cannot share a name.
    fn define(&mut self, name: Text, body: Body) -> Result<(), Located> {
        let says_nothing = |body: &Body| {
            body.iter().all(|node| matches!(node, Node::Text(span) if self.source[span.clone()].trim().is_empty()))
        };
        match self.template.named.get(&name) {
            Some(earlier) if !says_nothing(earlier) => {
                if !says_nothing(&body) {
                    let name = String::from_utf8_lossy(&name);
                    return Err(self.fault(format!("multiple definition of template {name:?}")));
                }
            }
            _ => {
                self.template.named.insert(name, Rc::new(body));
            }
        }
        Ok(())
    }

    fn template_name(&mut self, context: &str) -> Result<Text, Located> {
        let token = self.next();
        if !matches!(token.kind, Kind::Quoted | Kind::Raw) {
            return Err(self.unexpected(&token, context));
        }
        let name = quote::unquote(&self.source[token.span.clone()]);
        name.map(Text::from)
            .map_err(|message| Located::new(token.span, message))
    }

    /// Runs a part of the parse one level deeper.
    fn nested<T>(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<T, Located>,
    ) -> Result<T, Located> {
        if self.depth == self.nesting {
            return Err(self.fault(format!("nested deeper than {} levels", self.nesting)));
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }
}

//! Parses the actions that steer: conditions, ranges, templates.
use super::ast::{Branch, Call, Node};
use super::{BodyEnd, Parser};
use crate::template::error::Located;
use crate::template::lexer::{Keyword, Kind};

/// Is which of the three branching actions is parsed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    If,
    With,
    Range,
}

impl Control {
    fn word(self) -> &'static str {
        match self {
            Control::If => "if",
            Control::With => "with",
            Control::Range => "range",
        }
    }

    /// Names the word that may follow `else` to chain another action of the kind.
    fn chained(self) -> Option<Kind> {
        match self {
            Control::If => Some(Kind::Keyword(Keyword::If)),
            Control::With => Some(Kind::Keyword(Keyword::With)),
            Control::Range => None,
        }
    }
}

impl Parser<'_> {
    /// Parses one action from its opening braces on.
    pub(super) fn action(&mut self) -> Result<Option<Node>, Located> {
        self.expect(Kind::LeftDelimiter, "input")?;
        let Kind::Keyword(word) = self.peek().kind else {
            return Ok(Some(Node::Action(
                self.pipeline("command", Kind::RightDelimiter)?,
            )));
        };
        if matches!(
            word,
            Keyword::Define | Keyword::Nil | Keyword::End | Keyword::Else
        ) {
            return Ok(Some(Node::Action(
                self.pipeline("command", Kind::RightDelimiter)?,
            )));
        }
        self.skip(1);
        Ok(Some(match word {
            Keyword::Block => self.block()?,
            Keyword::Break => self.leave(Node::Break, "{{break}}")?,
            Keyword::Continue => self.leave(Node::Continue, "{{continue}}")?,
            Keyword::If => Node::If(self.branch(Control::If)?),
            Keyword::With => Node::With(self.branch(Control::With)?),
            Keyword::Range => Node::Range(self.branch(Control::Range)?),
            _ => self.call()?,
        }))
    }

    fn leave(&mut self, node: Node, name: &str) -> Result<Node, Located> {
        self.expect(Kind::RightDelimiter, name)?;
        if self.range_depth == 0 {
            self.position -= 1;
            return Err(self.fault(format!("{name} outside {{{{range}}}}")));
        }
        Ok(node)
    }

    fn branch(&mut self, control: Control) -> Result<Box<Branch>, Located> {
        let known = self.variables.len();
        let branch = self.nested(|parser| parser.branch_parts(control));
        self.variables.truncate(known);
        branch
    }

    fn branch_parts(&mut self, control: Control) -> Result<Box<Branch>, Located> {
        let pipeline = self.pipeline(control.word(), Kind::RightDelimiter)?;
        let ranges = usize::from(control == Control::Range);
        self.range_depth += ranges;
        let body = self.body();
        self.range_depth -= ranges;
        let (body, end) = body?;
        let otherwise = match end {
            BodyEnd::End => Vec::new(),
            BodyEnd::Else => self.otherwise(control)?,
        };
        Ok(Box::new(Branch {
            pipeline,
            body,
            otherwise,
        }))
    }

    /// Parses what follows the word `else`.
    fn otherwise(&mut self, control: Control) -> Result<Vec<Node>, Located> {
        if Some(self.peek().kind) == control.chained() {
            self.skip(1);
            let branch = self.branch(control)?;
            return Ok(vec![if control == Control::If {
                Node::If(branch)
            } else {
                Node::With(branch)
            }]);
        }
        self.expect(Kind::RightDelimiter, "else")?;
        match self.body()? {
            (body, BodyEnd::End) => Ok(body),
            (_, BodyEnd::Else) => Err(self.fault("expected end; found {{else}}")),
        }
    }

    fn call(&mut self) -> Result<Node, Located> {
        let span = self.peek().span.clone();
        let name = self.template_name("template clause")?;
        let pipeline = match self.peek().kind {
            Kind::RightDelimiter => {
                self.skip(1);
                None
            }
            _ => Some(self.pipeline("template clause", Kind::RightDelimiter)?),
        };
        Ok(Node::Template(Box::new(Call {
            span,
            name,
            pipeline,
        })))
    }

    /// Parses a `block`: a template defined and run in the same place.
    fn block(&mut self) -> Result<Node, Located> {
        let span = self.peek().span.clone();
        let name = self.template_name("block clause")?;
        let pipeline = self.pipeline("block clause", Kind::RightDelimiter)?;
        let body = self.closed_body("block clause")?;
        self.define(name.clone(), body)?;
        Ok(Node::Template(Box::new(Call {
            span,
            name,
            pipeline: Some(pipeline),
        })))
    }
}

//! Parses pipelines: declarations, commands and their operands.
use super::Parser;
use super::ast::{Command, Operand, Pipeline, Term};
use super::number::Number;
use super::quote::{unquote, unquote_character};
use crate::template::error::{Fault, Located};
use crate::template::functions;
use crate::template::lexer::{Keyword, Kind, Token};
use crate::template::value::Text;

impl Parser<'_> {
    /// Parses a pipeline up to the token that closes it, and takes that.
    pub(super) fn pipeline(&mut self, context: &str, closing: Kind) -> Result<Pipeline, Located> {
        let start = self.peek().span.start;
        let mut pipeline = Pipeline {
            span: start..start,
            variables: Vec::new(),
            assigns: false,
            commands: Vec::new(),
        };
        self.declarations(&mut pipeline, context)?;
        loop {
            let kind = self.peek().kind;
            if kind == closing {
                pipeline.span.end = self.peek().span.start;
                self.skip(1);
                break;
            }
            if !starts_operand(kind) {
                let token = self.next();
                return Err(self.unexpected(&token, context));
            }
            let command = self.command()?;
            pipeline.commands.push(command);
        }
        self.check(&pipeline, context)?;
        Ok(pipeline)
    }

    /// Parses the variables before `:=` or `=`; only `range` may set two.
    fn declarations(&mut self, pipeline: &mut Pipeline, context: &str) -> Result<(), Located> {
        while self.peek().kind == Kind::Variable {
            let kind = self.peek_second().kind;
            if !matches!(kind, Kind::Assign | Kind::Declare | Kind::Comma) {
                return Ok(());
            }
            let name = &self.source[self.peek().span.clone()];
            pipeline.variables.push(name.into());
            self.variables.push(name.into());
            self.skip(2);
            if kind != Kind::Comma {
                pipeline.assigns = kind == Kind::Assign;
                return Ok(());
            }
            if context != "range" || pipeline.variables.len() == 2 {
                return Err(self.fault(format!("too many declarations in {context}")));
            }
            if !matches!(
                self.peek().kind,
                Kind::Variable | Kind::RightDelimiter | Kind::RightParenthesis
            ) {
                return Err(self.fault("range can only initialize variables"));
            }
        }
        Ok(())
    }

    fn check(&self, pipeline: &Pipeline, context: &str) -> Result<(), Located> {
        if pipeline.commands.is_empty() {
            return Err(Located::new(
                pipeline.span.clone(),
                format!("missing value for {context}"),
            ));
        }
        for (index, command) in pipeline.commands.iter().enumerate().skip(1) {
            if is_constant(&command.head.term) {
                let message = format!("non executable command in pipeline stage {}", index + 1);
                return Err(Located::new(command.span.clone(), message));
            }
        }
        Ok(())
    }

    /// Parses words up to the end of the command, taking the bar that ends it.
    fn command(&mut self) -> Result<Command, Located> {
        let start = self.peek().span.start;
        let mut words = Vec::new();
        loop {
            let word = self.operand()?;
            let found = word.is_some();
            words.extend(word);
            if !(found && self.peek().after_space) {
                break;
            }
        }
        let end = words.last().map_or(start, |word: &Operand| word.span.end);
        match self.peek().kind {
            Kind::RightDelimiter | Kind::RightParenthesis => {}
            Kind::Pipe => self.skip(1),
            _ => {
                let token = self.next();
                return Err(self.unexpected(&token, "operand"));
            }
        }
        let mut words = words.into_iter();
        let head = words.next().ok_or_else(|| self.fault("empty command"))?;
        Ok(Command {
            span: start..end,
            head,
            arguments: words.collect(),
        })
    }

    /// Parses a term with the fields that follow it without a blank.
    fn operand(&mut self) -> Result<Option<Operand>, Located> {
        let Some(mut operand) = self.term()? else {
            return Ok(None);
        };
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field && !self.peek().after_space {
            let token = self.next();
            operand.span.end = token.span.end;
            fields.push(self.field_name(&token));
        }
        if fields.is_empty() {
            return Ok(Some(operand));
        }
        if is_constant(&operand.term) {
            let term = &self.source[operand.span.clone()];
            return Err(Located::new(
                operand.span.clone(),
                format!("unexpected . after term {term:?}"),
            ));
        }
        match &mut operand.term {
            Term::Field(names) | Term::Variable(_, names) => names.extend(fields),
            _ => {
                let span = operand.span.clone();
                operand = Operand {
                    span,
                    term: Term::Chain(Box::new(operand), fields),
                };
            }
        }
        Ok(Some(operand))
    }

    fn term(&mut self) -> Result<Option<Operand>, Located> {
        if !starts_operand(self.peek().kind) {
            return Ok(None);
        }
        let token = self.next();
        let mut span = token.span.clone();
        let text = &self.source[span.clone()];
        let placed = |fault: String| Located::new(token.span.clone(), fault);
        let term = match token.kind {
            Kind::Identifier => Term::Function(
                functions::find(text).map_err(|fault| Located::new(span.clone(), fault))?,
            ),
            Kind::Dot => Term::Dot,
            Kind::Variable => self.variable(text, &token)?,
            Kind::Field => Term::Field(vec![self.field_name(&token)]),
            Kind::Bool => Term::Bool(text == "true"),
            Kind::Character => Term::Number(Number::from_character(
                unquote_character(text).map_err(placed)?,
            )),
            Kind::Complex => Term::Number(Number::parse_complex(text).map_err(placed)?),
            Kind::Number => Term::Number(Number::parse(text).map_err(placed)?),
            Kind::Quoted | Kind::Raw => Term::Text(unquote(text).map_err(placed)?.into()),
            Kind::LeftParenthesis => {
                let inner = self.nested(|parser| {
                    parser.pipeline("parenthesized pipeline", Kind::RightParenthesis)
                })?;
                span.end = inner.span.end + 1;
                Term::Pipeline(Box::new(inner))
            }
            _ => Term::Nil,
        };
        Ok(Some(Operand { span, term }))
    }

    fn variable(&self, name: &str, token: &Token) -> Result<Term, Located> {
        let known = self
            .variables
            .iter()
            .rev()
            .find(|known| known.as_ref() == name);
        let undefined = || {
            Located::new(
                token.span.clone(),
                Fault::from(format!("undefined variable {name:?}")),
            )
        };
        Ok(Term::Variable(
            known.ok_or_else(undefined)?.clone(),
            Vec::new(),
        ))
    }

    fn field_name(&self, token: &Token) -> Text {
        self.source.as_bytes()[token.span.start + 1..token.span.end].into()
    }
}

fn is_constant(term: &Term) -> bool {
    matches!(
        term,
        Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(_) | Term::Text(_)
    )
}

fn starts_operand(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Bool
            | Kind::Character
            | Kind::Complex
            | Kind::Dot
            | Kind::Field
            | Kind::Identifier
            | Kind::Number
            | Kind::Keyword(Keyword::Nil)
            | Kind::Raw
            | Kind::Quoted
            | Kind::Variable
            | Kind::LeftParenthesis
    )
}

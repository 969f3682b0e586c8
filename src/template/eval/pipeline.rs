//! Evaluates pipelines and commands, and keeps the variables.
use super::{Evaluated, Interpreter};
use crate::template::error::Located;
use crate::template::parser::ast::{Command, Operand, Pipeline, Term};
use crate::template::print;
use crate::template::value::Value;
use std::ops::Range;
use std::rc::Rc;

impl<'t> Interpreter<'t> {
    /// Evaluates the commands from left to right, each given the value before as its last argument.
    pub(super) fn pipeline(&mut self, dot: &Value, pipeline: &'t Pipeline) -> Evaluated {
        let mut last = None;
        for command in &pipeline.commands {
            let value = self.command(dot, command, last.take())?;
            last = Some(match value {
                Value::Nil => Value::Missing,
                value => value,
            });
        }
        let value = last.unwrap_or(Value::Missing);
        for name in &pipeline.variables {
            match pipeline.assigns {
                true => self.assign(name, value.clone(), &pipeline.span)?,
                false => self.variables.push((name.clone(), value.clone())),
            }
        }
        Ok(value)
    }

    fn command(&mut self, dot: &Value, command: &'t Command, last: Option<Value>) -> Evaluated {
        self.spend(&command.span)?;
        let head = &command.head;
        if let Term::Function(function) = &head.term {
            return self.call(
                dot,
                function,
                (command.span.clone(), &command.arguments),
                last,
            );
        }
        let has_arguments = !command.arguments.is_empty() || last.is_some();
        match &head.term {
            Term::Field(names) => self.fields(dot, dot.clone(), names, command, last),
            Term::Chain(operand, names) => {
                let receiver = self.chain_head(dot, operand)?;
                self.fields(dot, receiver, names, command, last)
            }
            Term::Variable(name, names) if !names.is_empty() => {
                let receiver = self.variable(name, &head.span)?;
                self.fields(dot, receiver, names, command, last)
            }
            _ if has_arguments => {
                let message = format!(
                    "can't give argument to non-function {}",
                    &self.source[head.span.clone()]
                );
                Err(Located::new(head.span.clone(), message))
            }
            Term::Nil => Err(Located::new(head.span.clone(), "nil is not a command")),
            _ => self.term(dot, head),
        }
    }

    /// Evaluates a word that is given no arguments.
    pub(super) fn term(&mut self, dot: &Value, operand: &'t Operand) -> Evaluated {
        let span = &operand.span;
        match &operand.term {
            Term::Dot => Ok(dot.clone()),
            Term::Nil => Ok(Value::Nil),
            Term::Bool(truth) => Ok(Value::Bool(*truth)),
            Term::Number(number) => number
                .ideal()
                .map_err(|fault| Located::new(span.clone(), fault)),
            Term::Text(text) => Ok(Value::Text(text.clone())),
            Term::Field(names) => self.bare_fields(dot, dot.clone(), names, span),
            Term::Variable(name, names) => {
                let receiver = self.variable(name, span)?;
                self.bare_fields(dot, receiver, names, span)
            }
            Term::Function(function) => self.call(dot, function, (span.clone(), &[]), None),
            Term::Pipeline(pipeline) => {
                self.deeper(span, |interpreter| interpreter.pipeline(dot, pipeline))
            }
            Term::Chain(head, names) => {
                let receiver = self.chain_head(dot, head)?;
                self.bare_fields(dot, receiver, names, span)
            }
        }
    }

    fn chain_head(&mut self, dot: &Value, head: &'t Operand) -> Evaluated {
        match head.term {
            Term::Nil => Err(Located::new(
                head.span.clone(),
                "indirection through explicit nil",
            )),
            _ => self.term(dot, head),
        }
    }

    fn variable(&self, name: &Rc<str>, span: &Range<usize>) -> Evaluated {
        let found = self.variables.iter().rev().find(|(known, _)| known == name);
        let undefined = || Located::new(span.clone(), format!("undefined variable: {name}"));
        found.map(|(_, value)| value.clone()).ok_or_else(undefined)
    }

    pub(super) fn assign(
        &mut self,
        name: &Rc<str>,
        value: Value,
        span: &Range<usize>,
    ) -> Result<(), Located> {
        let found = self
            .variables
            .iter_mut()
            .rev()
            .find(|(known, _)| known == name);
        let (_, slot) = found
            .ok_or_else(|| Located::new(span.clone(), format!("undefined variable: {name}")))?;
        *slot = value;
        Ok(())
    }

    /// Prints a value for a message.
    pub(super) fn show(&mut self, value: &Value) -> String {
        let printed = print::sprint(std::slice::from_ref(value), &mut self.context.budget);
        printed.map_or_else(
            |_| value.type_name().into(),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }
}

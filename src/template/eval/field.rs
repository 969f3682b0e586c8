//! Evaluates fields: entries of maps, and the methods of times and versions.
use super::{Evaluated, Interpreter};
use crate::template::error::Located;
use crate::template::functions::method;
use crate::template::parser::ast::{Command, Operand};
use crate::template::value::{Text, Value};
use std::ops::Range;

/// Is what a call is given: where it stands and its argument words.
pub(super) type Given<'t> = (Range<usize>, &'t [Operand]);

impl<'t> Interpreter<'t> {
    /// Follows fields that head a command; the last may be a method that takes the arguments.
    pub(super) fn fields(
        &mut self,
        dot: &Value,
        receiver: Value,
        names: &[Text],
        command: &'t Command,
        last: Option<Value>,
    ) -> Evaluated {
        let Some((name, before)) = names.split_last() else {
            return Ok(receiver);
        };
        let receiver = self.bare_fields(dot, receiver, before, &command.head.span)?;
        self.field(
            dot,
            receiver,
            name,
            (command.head.span.clone(), &command.arguments),
            last,
        )
    }

    /// Follows fields that are given no arguments.
    pub(super) fn bare_fields(
        &mut self,
        dot: &Value,
        mut receiver: Value,
        names: &[Text],
        span: &Range<usize>,
    ) -> Evaluated {
        for name in names {
            receiver = self.field(dot, receiver, name, (span.clone(), &[]), None)?;
        }
        Ok(receiver)
    }

    fn field(
        &mut self,
        dot: &Value,
        receiver: Value,
        name: &Text,
        (span, arguments): Given<'t>,
        last: Option<Value>,
    ) -> Evaluated {
        self.spend(&span)?;
        let shown = String::from_utf8_lossy(name).into_owned();
        let fault = |message: String| Err(Located::new(span.clone(), message));
        match &receiver {
            Value::Missing => Ok(Value::Missing),
            Value::Nil => fault(format!("nil pointer evaluating interface {{}}.{shown}")),
            Value::Map(_) if !arguments.is_empty() || last.is_some() => {
                fault(format!("{shown} is not a method but has arguments"))
            }
            Value::Map(map) => Ok(map.get_or_zero(name)),
            _ => match method(&receiver, &shown) {
                Some(method) => {
                    let mut values = vec![receiver.clone()];
                    values.extend(self.arguments(dot, method, (span.clone(), arguments), last)?);
                    self.invoke(method, &values, span)
                }
                None => fault(format!(
                    "can't evaluate field {shown} in type {}",
                    receiver.type_name()
                )),
            },
        }
    }
}

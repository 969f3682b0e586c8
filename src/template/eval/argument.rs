//! Evaluates one argument as its parameter wants it, which decides what a constant means.
use super::{Evaluated, Interpreter};
use crate::template::error::Located;
use crate::template::functions::Parameter;
use crate::template::parser::ast::{Operand, Term};
use crate::template::value::{ElementKind, IntKind, Map, Value};
use std::ops::Range;

impl<'t> Interpreter<'t> {
    pub(super) fn argument(
        &mut self,
        dot: &Value,
        parameter: Parameter,
        operand: &'t Operand,
    ) -> Evaluated {
        let span = &operand.span;
        match &operand.term {
            Term::Bool(_) | Term::Number(_) | Term::Text(_) => self.constant(parameter, operand),
            Term::Nil => match parameter {
                Parameter::Any => Ok(Value::Nil),
                Parameter::Map => Ok(Value::Map(Map::nil())),
                other => Err(Located::new(
                    span.clone(),
                    format!("cannot assign nil to {}", other.type_name()),
                )),
            },
            _ => {
                let value = self.term(dot, operand)?;
                self.validate(value, parameter, span)
            }
        }
    }

    fn constant(&mut self, parameter: Parameter, operand: &'t Operand) -> Evaluated {
        let shown = &self.source[operand.span.clone()];
        let fault = |wanted: &str| {
            Err(Located::new(
                operand.span.clone(),
                format!("expected {wanted}; found {shown}"),
            ))
        };
        let number = match &operand.term {
            Term::Number(number) => Some(number),
            _ => None,
        };
        match (parameter, &operand.term) {
            (Parameter::Any, _) => match &operand.term {
                Term::Bool(truth) => Ok(Value::Bool(*truth)),
                Term::Text(text) => Ok(Value::Text(text.clone())),
                _ => {
                    let ideal = number.map_or(Ok(Value::Nil), |number| number.ideal());
                    ideal.map_err(|fault| Located::new(operand.span.clone(), fault))
                }
            },
            (Parameter::Text, Term::Text(text)) => Ok(Value::Text(text.clone())),
            (Parameter::Text, _) => fault("string"),
            (Parameter::Bool, Term::Bool(truth)) => Ok(Value::Bool(*truth)),
            (Parameter::Bool, _) => fault("bool"),
            (Parameter::Int, _) => number
                .and_then(|number| number.as_integer())
                .map_or(fault("integer"), |whole| Ok(Value::int(whole))),
            // Go sets the unsigned value and silently drops the upper bits.
            (Parameter::Unsigned32, _) => match number.and_then(|number| number.as_unsigned()) {
                Some(whole) => Ok(Value::int64(i64::from(whole as u32))),
                None => fault("unsigned integer"),
            },
            (Parameter::Float, _) => number
                .and_then(|number| number.as_float())
                .map_or(fault("float"), |float| Ok(Value::Float(float))),
            (Parameter::Map | Parameter::Time | Parameter::Version | Parameter::Duration, _) => {
                let message = format!(
                    "can't handle {shown} for arg of type {}",
                    parameter.type_name()
                );
                Err(Located::new(operand.span.clone(), message))
            }
        }
    }

    /// Accepts a value for a parameter, or says what was expected.
    pub(super) fn validate(
        &self,
        value: Value,
        parameter: Parameter,
        span: &Range<usize>,
    ) -> Evaluated {
        let fits = match (parameter, &value) {
            (Parameter::Any, Value::Missing) => return Ok(Value::Nil),
            (Parameter::Any, _) => true,
            (Parameter::Map, Value::Missing) => return Ok(Value::Map(Map::nil())),
            (_, Value::Missing) => {
                let message = format!("invalid value; expected {}", parameter.type_name());
                return Err(Located::new(span.clone(), message));
            }
            (Parameter::Text, Value::Text(_)) => true,
            (Parameter::Bool, Value::Bool(_)) => true,
            (Parameter::Float, Value::Float(_)) => true,
            (Parameter::Int, Value::Int(kind, _)) => *kind == IntKind::Int,
            (Parameter::Duration, Value::Int(kind, _)) => *kind == IntKind::Duration,
            (Parameter::Map, Value::Map(map)) => map.kind() == ElementKind::Any,
            (Parameter::Time, Value::Time(_)) => true,
            (Parameter::Version, Value::Version(_)) => true,
            _ => false,
        };
        if fits {
            return Ok(value);
        }
        let found = if value.is_nil() {
            "interface {}"
        } else {
            value.type_name()
        };
        let message = format!(
            "wrong type for value; expected {}; got {found}",
            parameter.type_name()
        );
        Err(Located::new(span.clone(), message))
    }
}

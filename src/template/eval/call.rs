//! Calls functions: counts and evaluates their arguments, then runs them.
use super::field::Given;
use super::{Evaluated, Interpreter};
use crate::template::error::Located;
use crate::template::functions::{Body, Function, Parameter};
use crate::template::parser::shorten;
use crate::template::value::Value;
use std::ops::Range;

impl<'t> Interpreter<'t> {
    pub(super) fn call(
        &mut self,
        dot: &Value,
        function: &'static Function,
        (span, arguments): Given<'t>,
        last: Option<Value>,
    ) -> Evaluated {
        let stops_when = match function.body {
            Body::And => false,
            Body::Or => true,
            Body::Run(_) => {
                let values = self.arguments(dot, function, (span.clone(), arguments), last)?;
                return self.invoke(function, &values, span);
            }
        };
        self.check_count(function, (&span, arguments.len()), last.is_some())?;
        let mut value = Value::Missing;
        for argument in arguments {
            value = self.argument(dot, Parameter::Any, argument)?;
            if value.is_true() == stops_when {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// Evaluates the arguments, each as the parameter it is for wants it.
    pub(super) fn arguments(
        &mut self,
        dot: &Value,
        function: &Function,
        (span, arguments): Given<'t>,
        last: Option<Value>,
    ) -> Result<Vec<Value>, Located> {
        self.check_count(function, (&span, arguments.len()), last.is_some())?;
        let mut values = Vec::with_capacity(arguments.len() + 1);
        for (index, argument) in arguments.iter().enumerate() {
            values.push(self.argument(dot, function.parameter(index), argument)?);
        }
        if let Some(last) = last {
            let parameter = function.parameter(values.len());
            values.push(self.validate(last, parameter, &span)?);
        }
        Ok(values)
    }

    fn check_count(
        &self,
        function: &Function,
        (span, written): (&Range<usize>, usize),
        piped: bool,
    ) -> Result<(), Located> {
        let given = written + usize::from(piped);
        let wanted = function.fixed();
        let fault = |wanted: String| {
            Located::new(
                span.clone(),
                format!(
                    "wrong number of args for {}: want {wanted} got {given}",
                    function.name
                ),
            )
        };
        match function.variadic {
            true if given < wanted => Err(fault(format!("at least {wanted}"))),
            false if given != wanted => Err(fault(wanted.to_string())),
            _ => Ok(()),
        }
    }

    pub(super) fn invoke(
        &mut self,
        function: &Function,
        values: &[Value],
        span: Range<usize>,
    ) -> Evaluated {
        let Body::Run(run) = function.body else {
            return Ok(Value::Missing);
        };
        let read = values.iter().map(|value| {
            if let Value::Text(text) = value {
                text.len()
            } else {
                0
            }
        });
        let paid = self.context.budget.touch(read.sum());
        let answer = paid.and_then(|()| run(&mut self.context, values));
        answer.map_err(|fault| {
            let at = shorten(&self.source[span.clone()]);
            Located::new(
                span,
                format!("at <{at}>: error calling {}: {fault}", function.name),
            )
        })
    }
}

//! Runs conditions, ranges and template calls.
use super::{Flow, Interpreter};
use crate::template::error::Located;
use crate::template::parser::ast::{Branch, Call, Pipeline};
use crate::template::value::{IntKind, Value};

impl<'t> Interpreter<'t> {
    /// Runs `if`, or `with` when the value becomes dot.
    pub(super) fn condition(
        &mut self,
        dot: &Value,
        branch: &'t Branch,
        sets_dot: bool,
    ) -> Result<Flow, Located> {
        let known = self.variables.len();
        let value = self.pipeline(dot, &branch.pipeline)?;
        let flow = self.deeper(&branch.pipeline.span, |interpreter| {
            match (value.is_true(), sets_dot) {
                (true, true) => interpreter.body(&value, &branch.body),
                (true, false) => interpreter.body(dot, &branch.body),
                (false, _) => interpreter.body(dot, &branch.otherwise),
            }
        });
        self.variables.truncate(known);
        flow
    }

    pub(super) fn range(&mut self, dot: &Value, branch: &'t Branch) -> Result<Flow, Located> {
        let known = self.variables.len();
        let value = self.pipeline(dot, &branch.pipeline)?;
        let ran = self.deeper(&branch.pipeline.span, |interpreter| {
            interpreter.iterate(&value, branch)
        })?;
        let flow = match ran {
            true => Flow::Through,
            false => self.deeper(&branch.pipeline.span, |interpreter| {
                interpreter.body(dot, &branch.otherwise)
            })?,
        };
        self.variables.truncate(known);
        Ok(flow)
    }

    /// Runs the body for each element; says whether there was one.
    fn iterate(&mut self, value: &Value, branch: &'t Branch) -> Result<bool, Located> {
        match value {
            Value::Int(kind, count) => self.count_up(*kind, *count, branch),
            Value::List(list) => {
                for (index, element) in list.elements().iter().enumerate() {
                    if !self.iteration(Value::int(index as i64), element.clone(), branch)? {
                        break;
                    }
                }
                Ok(!list.is_empty())
            }
            Value::Map(map) => {
                let entries = map.snapshot();
                self.pay(entries.len(), &branch.pipeline)?;
                let any = !entries.is_empty();
                for (name, element) in entries {
                    if !self.iteration(Value::Text(name), element, branch)? {
                        break;
                    }
                }
                Ok(any)
            }
            Value::Missing | Value::Nil => Ok(false),
            other => {
                let message = format!("range can't iterate over {}", self.show(other));
                Err(Located::new(branch.pipeline.span.clone(), message))
            }
        }
    }

    fn count_up(&mut self, kind: IntKind, count: i64, branch: &'t Branch) -> Result<bool, Located> {
        if branch.pipeline.variables.len() > 1 {
            let message = format!("can't use {count} to iterate over more than one variable");
            return Err(Located::new(branch.pipeline.span.clone(), message));
        }
        for number in 0..count {
            if !self.iteration(Value::Missing, Value::Int(kind, number), branch)? {
                break;
            }
        }
        Ok(count > 0)
    }

    /// Runs the body once; says whether to go on.
    fn iteration(
        &mut self,
        index: Value,
        element: Value,
        branch: &'t Branch,
    ) -> Result<bool, Located> {
        let pipeline = &branch.pipeline;
        self.spend(&pipeline.span)?;
        let bound = match pipeline.variables.as_slice() {
            [] => Vec::new(),
            [only] => vec![(only, element.clone())],
            [first, second, ..] => vec![(first, index), (second, element.clone())],
        };
        let known = self.variables.len();
        let slots = known - bound.len().min(known);
        for (offset, (name, value)) in bound.into_iter().enumerate() {
            match pipeline.assigns {
                true => self.assign(name, value, &pipeline.span)?,
                false => self.variables[slots + offset].1 = value,
            }
        }
        let flow = self.body(&element, &branch.body);
        self.variables.truncate(known);
        Ok(flow? != Flow::Break)
    }

    fn pay(&mut self, count: usize, pipeline: &Pipeline) -> Result<(), Located> {
        let paid = self.context.budget.allow_elements(count);
        paid.map_err(|fault| Located::new(pipeline.span.clone(), fault))
    }

    /// Runs a named template, which sees nothing of the variables here.
    pub(super) fn template(&mut self, dot: &Value, call: &'t Call) -> Result<(), Located> {
        let Some(body) = self.template.named.get(&call.name) else {
            let name = String::from_utf8_lossy(&call.name).into_owned();
            return Err(Located::new(
                call.span.clone(),
                format!("template {name:?} not defined"),
            ));
        };
        self.spend(&call.span)?;
        let dot = match &call.pipeline {
            Some(pipeline) => self.pipeline(dot, pipeline)?,
            None => Value::Missing,
        };
        let variables = std::mem::replace(&mut self.variables, vec![("$".into(), dot.clone())]);
        self.deeper(&call.span, |interpreter| interpreter.body(&dot, body))?;
        self.variables = variables;
        Ok(())
    }
}

//! Runs a parsed template: walks its nodes, with dot, variables and output.
mod argument;
mod call;
mod control;
mod field;
mod output;
mod pipeline;

pub use output::Rendered;

use super::draws::Draws;
use super::error::Located;
use super::functions::Context;
use super::limits::Limits;
use super::parser::ast::{Body, Node, Template};
use super::print;
use super::value::Value;
use output::Output;
use std::ops::Range;
use std::rc::Rc;

/// Is what evaluating one thing answers: its value, or a fault with its place.
type Evaluated = Result<Value, Located>;

/// Runs the main body of a template on a copy of the data.
pub fn run(
    source: &str,
    template: &Template,
    data: &Value,
    draws: &Draws,
    limits: &Limits,
) -> Result<Rendered, Located> {
    let data = data.deep_copy(limits.nesting);
    let data = data.ok_or_else(|| Located::new(0..0, "the data is nested too deeply"))?;
    let mut interpreter = Interpreter {
        source,
        template,
        context: Context::new(draws, limits),
        output: Output::new(source, limits.output_bytes),
        variables: vec![("$".into(), data.clone())],
        depth: 0,
        // Calls stand on top of blocks, so both together may go deeper than the text alone.
        nesting: limits.nesting * 3 / 2,
    };
    interpreter.body(&data, &template.main)?;
    Ok(interpreter.output.finish())
}

/// Is the state of one rendering.
struct Interpreter<'t> {
    source: &'t str,
    template: &'t Template,
    context: Context,
    output: Output<'t>,
    variables: Vec<(Rc<str>, Value)>,
    depth: usize,
    nesting: usize,
}

/// Is how a body was left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Through,
    Break,
    Continue,
}

impl<'t> Interpreter<'t> {
    fn body(&mut self, dot: &Value, body: &'t Body) -> Result<Flow, Located> {
        for node in body {
            let flow = self.node(dot, node)?;
            if flow != Flow::Through {
                return Ok(flow);
            }
        }
        Ok(Flow::Through)
    }

    fn node(&mut self, dot: &Value, node: &'t Node) -> Result<Flow, Located> {
        match node {
            Node::Text(span) => self.text(span.clone())?,
            Node::Action(pipeline) => {
                let value = self.pipeline(dot, pipeline)?;
                if pipeline.variables.is_empty() {
                    self.print(&value, pipeline.span.clone())?;
                }
            }
            Node::If(branch) => return self.condition(dot, branch, false),
            Node::With(branch) => return self.condition(dot, branch, true),
            Node::Range(branch) => return self.range(dot, branch),
            Node::Template(call) => self.template(dot, call)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Through)
    }

    fn text(&mut self, span: Range<usize>) -> Result<(), Located> {
        self.context
            .budget
            .spend(1)
            .and_then(|()| self.output.copy(span.clone()))
            .map_err(|fault| Located::new(span, fault))
    }

    fn print(&mut self, value: &Value, span: Range<usize>) -> Result<(), Located> {
        let printed = match value {
            Value::Missing | Value::Nil => Ok(b"<no value>".to_vec()),
            Value::Text(text) => Ok(text.to_vec()),
            other => print::sprint(std::slice::from_ref(other), &mut self.context.budget),
        };
        let written = printed.and_then(|bytes| self.output.write(&bytes, span.start));
        written.map_err(|fault| Located::new(span, fault))
    }

    /// Evaluates a part one level deeper, so that no template exhausts the stack.
    fn deeper<T>(
        &mut self,
        span: &Range<usize>,
        part: impl FnOnce(&mut Self) -> Result<T, Located>,
    ) -> Result<T, Located> {
        if self.depth == self.nesting {
            return Err(Located::new(
                span.clone(),
                format!(
                    "the template runs nested deeper than {} levels",
                    self.nesting
                ),
            ));
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    fn spend(&mut self, span: &Range<usize>) -> Result<(), Located> {
        self.context
            .budget
            .spend(1)
            .map_err(|fault| Located::new(span.clone(), fault))
    }
}

//! The tree of a parsed template.
use super::number::Number;
use crate::template::functions::Function;
use crate::template::value::Text;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// Is a parsed source: its main body and the templates it defines.
#[derive(Debug, Default)]
pub struct Template {
    /// What rendering starts with.
    pub main: Rc<Body>,
    /// The named templates.
    pub named: HashMap<Text, Rc<Body>>,
}

/// Is a sequence of nodes.
pub type Body = Vec<Node>;

/// Is one thing a body does.
#[derive(Debug)]
pub enum Node {
    /// Writes these bytes of the source.
    Text(Range<usize>),
    /// Writes the value of a pipeline, unless it declares variables.
    Action(Pipeline),
    /// Chooses a body by the truth of a pipeline.
    If(Box<Branch>),
    /// Does the same with dot set to the value.
    With(Box<Branch>),
    /// Repeats a body for each element.
    Range(Box<Branch>),
    /// Runs a named template.
    Template(Box<Call>),
    /// Leaves the innermost range.
    Break,
    /// Goes on with the innermost range's next element.
    Continue,
}

/// Is the common shape of `if`, `with` and `range`.
#[derive(Debug)]
pub struct Branch {
    /// What decides.
    pub pipeline: Pipeline,
    /// What runs when there is something.
    pub body: Body,
    /// What runs otherwise.
    pub otherwise: Body,
}

/// Is a `template` action.
#[derive(Debug)]
pub struct Call {
    /// Where the action's words stand.
    pub span: Range<usize>,
    /// The template's name.
    pub name: Text,
    /// What becomes its dot.
    pub pipeline: Option<Pipeline>,
}

/// Is a chain of commands, each handed the value of the one before.
#[derive(Debug)]
pub struct Pipeline {
    /// Where it stands.
    pub span: Range<usize>,
    /// The variables it sets.
    pub variables: Vec<Rc<str>>,
    /// Whether these exist already.
    pub assigns: bool,
    /// The commands.
    pub commands: Vec<Command>,
}

/// Is a function or value with its arguments; there is always a first word.
#[derive(Debug)]
pub struct Command {
    /// Where it stands.
    pub span: Range<usize>,
    /// The function or value.
    pub head: Operand,
    /// What it is given.
    pub arguments: Vec<Operand>,
}

/// Is one word of a command.
#[derive(Debug)]
pub struct Operand {
    /// Where it stands.
    pub span: Range<usize>,
    /// What it is.
    pub term: Term,
}

/// Is what a word of a command means.
#[derive(Debug)]
pub enum Term {
    /// The current value.
    Dot,
    /// The word `nil`.
    Nil,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(Text),
    /// Fields of dot.
    Field(Vec<Text>),
    /// A variable and its fields.
    Variable(Rc<str>, Vec<Text>),
    /// A function.
    Function(&'static Function),
    /// A pipeline in parentheses.
    Pipeline(Box<Pipeline>),
    /// Fields of what a function or pipeline answers.
    Chain(Box<Operand>, Vec<Text>),
}

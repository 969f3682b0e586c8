//! How a function is described: its name, its parameters and what it does.
use super::Context;
use crate::template::value::Value;

/// Is what a function wants in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// Anything.
    Any,
    /// A string.
    Text,
    /// An `int`; not an `int64`.
    Int,
    /// A `uint32`, which only a constant can be.
    Unsigned32,
    /// A truth value.
    Bool,
    /// A floating point number.
    Float,
    /// A map to anything.
    Map,
    /// A point in time.
    Time,
    /// A semantic version.
    Version,
    /// A length of time.
    Duration,
}

impl Parameter {
    /// Names the Go type.
    pub fn type_name(self) -> &'static str {
        match self {
            Parameter::Any => "interface {}",
            Parameter::Text => "string",
            Parameter::Int => "int",
            Parameter::Unsigned32 => "uint32",
            Parameter::Bool => "bool",
            Parameter::Float => "float64",
            Parameter::Map => "map[string]interface {}",
            Parameter::Time => "time.Time",
            Parameter::Version => "*semver.Version",
            Parameter::Duration => "time.Duration",
        }
    }
}

/// Answers a call whose arguments fit the parameters.
pub type Run = fn(&mut Context, &[Value]) -> Result<Value, String>;

/// Is what a function does.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    /// Answers from all its arguments.
    Run(Run),
    /// Evaluates arguments up to the first false one.
    And,
    /// Evaluates arguments up to the first true one.
    Or,
}

/// Is one function a template may call.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it wants; of a variadic function, the last repeats any number of times.
    pub parameters: &'static [Parameter],
    /// Whether the last parameter repeats.
    pub variadic: bool,
    /// What it does.
    pub body: Body,
}

impl Function {
    /// Describes a function that wants exactly these parameters.
    pub const fn new(name: &'static str, parameters: &'static [Parameter], run: Run) -> Self {
        Function {
            name,
            parameters,
            variadic: false,
            body: Body::Run(run),
        }
    }

    /// Describes a function whose last parameter repeats.
    pub const fn variadic(name: &'static str, parameters: &'static [Parameter], run: Run) -> Self {
        Function {
            name,
            parameters,
            variadic: true,
            body: Body::Run(run),
        }
    }

    /// Says how many arguments there must be at least, or exactly.
    pub fn fixed(&self) -> usize {
        self.parameters.len() - usize::from(self.variadic)
    }

    /// Answers the parameter in one place.
    pub fn parameter(&self, index: usize) -> Parameter {
        let last = self.parameters.len().saturating_sub(1);
        self.parameters
            .get(index.min(last))
            .copied()
            .unwrap_or(Parameter::Any)
    }
}

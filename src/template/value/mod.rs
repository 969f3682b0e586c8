//! The values a template computes with: Go's, as far as a template can see the difference.
pub mod classes;
mod convert;
mod equal;
mod kind;
mod list;
mod map;
pub mod runes;

pub use equal::deep_equal;
pub use kind::{ElementKind, IntKind};
pub use list::List;
pub use map::Map;

use super::dates::Moment;
use super::semver::Version;
use std::rc::Rc;

/// Is a Go string: bytes, usually but not always UTF-8.
pub type Text = Rc<[u8]>;

/// Is one value of a template.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// No value at all, as dot in a template called without data; every field of it is missing too.
    Missing,
    /// A nil interface, as a map answers for a key it lacks; fields of it are an error.
    #[default]
    Nil,
    /// A truth value.
    Bool(bool),
    /// A whole number with its Go type.
    Int(IntKind, i64),
    /// A floating point number.
    Float(f64),
    /// A complex number: real and imaginary part.
    Complex(f64, f64),
    /// A string.
    Text(Text),
    /// A slice.
    List(List),
    /// A map with string keys, shared by everything that holds it.
    Map(Map),
    /// A point in time.
    Time(Box<Moment>),
    /// A semantic version behind a pointer.
    Version(Rc<Version>),
    /// A semantic version as a bare struct, which Go prints field by field.
    BareVersion(Rc<Version>),
}

impl Value {
    /// Makes a string.
    pub fn text(bytes: impl AsRef<[u8]>) -> Self {
        Value::Text(bytes.as_ref().into())
    }

    /// Makes an `int`.
    pub fn int(number: i64) -> Self {
        Value::Int(IntKind::Int, number)
    }

    /// Makes an `int64`, which Go does not accept where it wants an `int`.
    pub fn int64(number: i64) -> Self {
        Value::Int(IntKind::Int64, number)
    }

    /// Says whether there is nothing here.
    pub fn is_nil(&self) -> bool {
        matches!(self, Value::Missing | Value::Nil)
    }

    /// Says whether `if` takes the value for true: anything but nil, zero and empty.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Time(_) | Value::BareVersion(_) | Value::Version(_) => true,
            other => !other.is_empty(),
        }
    }

    /// Says whether the value is the zero value of its type, or an empty collection.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Missing | Value::Nil => true,
            Value::Bool(truth) => !truth,
            Value::Int(_, number) => *number == 0,
            Value::Float(number) => *number == 0.0,
            Value::Complex(real, imaginary) => *real == 0.0 && *imaginary == 0.0,
            Value::Text(text) => text.is_empty(),
            Value::List(list) => list.is_empty(),
            Value::Map(map) => map.len() == 0,
            Value::Time(_) | Value::Version(_) | Value::BareVersion(_) => false,
        }
    }

    /// Names the Go type, as `%T` prints it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Missing | Value::Nil => "<nil>",
            Value::Bool(_) => "bool",
            Value::Int(kind, _) => kind.type_name(),
            Value::Float(_) => "float64",
            Value::Complex(..) => "complex128",
            Value::Text(_) => "string",
            Value::List(list) => list.kind().list_type_name(),
            Value::Map(map) => map.kind().map_type_name(),
            Value::Time(_) => "time.Time",
            Value::Version(_) => "*semver.Version",
            Value::BareVersion(_) => "semver.Version",
        }
    }

    /// Names the kind of the Go type, as `kindOf` answers it.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Value::Missing | Value::Nil => "invalid",
            Value::Int(kind, _) => kind.kind_name(),
            Value::List(_) => "slice",
            Value::Map(_) => "map",
            Value::Time(_) | Value::BareVersion(_) => "struct",
            Value::Version(_) => "ptr",
            other => other.type_name(),
        }
    }
}

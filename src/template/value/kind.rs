//! The Go types of whole numbers and of the elements of collections.

/// Is the Go type of a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntKind {
    /// `int`, as written in a template.
    Int,
    /// `int64`, as arithmetic answers it.
    Int64,
    /// `uint8`, as indexing a string answers it.
    Byte,
    /// `time.Month`, printed by name.
    Month,
    /// `time.Weekday`, printed by name.
    Weekday,
    /// `time.Duration`, printed like `1h2m3s`.
    Duration,
}

impl IntKind {
    /// Names the type.
    pub fn type_name(self) -> &'static str {
        match self {
            IntKind::Int => "int",
            IntKind::Int64 => "int64",
            IntKind::Byte => "uint8",
            IntKind::Month => "time.Month",
            IntKind::Weekday => "time.Weekday",
            IntKind::Duration => "time.Duration",
        }
    }

    /// Names what the type is made of.
    pub fn kind_name(self) -> &'static str {
        match self {
            IntKind::Int | IntKind::Month | IntKind::Weekday => "int",
            IntKind::Int64 | IntKind::Duration => "int64",
            IntKind::Byte => "uint8",
        }
    }

    /// Says whether the type has no negative numbers.
    pub fn is_unsigned(self) -> bool {
        self == IntKind::Byte
    }
}

/// Is the Go type of the elements of a list or map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementKind {
    /// `interface {}`: anything.
    Any,
    /// `string`.
    Text,
    /// `int`.
    Int,
}

impl ElementKind {
    /// Names the list type with such elements.
    pub fn list_type_name(self) -> &'static str {
        match self {
            ElementKind::Any => "[]interface {}",
            ElementKind::Text => "[]string",
            ElementKind::Int => "[]int",
        }
    }

    /// Names the map type from strings to such elements.
    pub fn map_type_name(self) -> &'static str {
        match self {
            ElementKind::Any => "map[string]interface {}",
            ElementKind::Text => "map[string]string",
            ElementKind::Int => "map[string]int",
        }
    }
}

//! Prints one value under one verb.
use super::flags::Flags;
use super::structure::fields;
use crate::template::dates::duration;
use crate::template::limits::Budget;
use crate::template::value::{IntKind, List, Map, Value};

/// Collects printed text.
pub(super) struct Printer<'b> {
    pub out: Vec<u8>,
    pub flags: Flags,
    budget: &'b mut Budget,
    /// Set while a bad verb is reported: methods like `String` are not used then.
    erroring: bool,
}

impl<'b> Printer<'b> {
    pub fn new(budget: &'b mut Budget) -> Self {
        Printer {
            out: Vec::new(),
            flags: Flags::default(),
            budget,
            erroring: false,
        }
    }

    /// Makes sure that so many more bytes are allowed.
    pub fn reserve(&mut self, more: usize) -> Result<(), String> {
        let total = self.out.len().saturating_add(more);
        self.budget
            .fits(total)
            .and_then(|()| self.budget.touch(more))
            .map(|()| self.out.reserve(more))
    }

    /// Prints a value that was handed to the directive itself.
    pub fn argument(&mut self, value: &Value, verb: char) -> Result<(), String> {
        match (value, verb) {
            (Value::Missing | Value::Nil, 'T' | 'v') => self.pad(b"<nil>"),
            (_, 'T') => self.truncated(value.type_name().as_bytes()),
            (Value::List(_) | Value::Map(_) | Value::Version(_), 'p') => {
                Err("addresses are not printed".into())
            }
            (_, 'w') => self.bad_verb(value, verb),
            _ => self.value(value, verb, 0),
        }
    }

    /// Prints a value at some depth inside the argument.
    pub fn value(&mut self, value: &Value, verb: char, depth: usize) -> Result<(), String> {
        self.budget.allow_depth(depth)?;
        self.budget.spend(1)?;
        if let Some(text) = self.own_text(value, verb) {
            return self.text(&text, verb, value);
        }
        match value {
            Value::Missing | Value::Nil if depth > 0 => self.write(if self.flags.sharp_v {
                b"interface {}(nil)"
            } else {
                b"<nil>"
            }),
            Value::Missing | Value::Nil => self.bad_verb(value, verb),
            Value::Bool(truth) if matches!(verb, 't' | 'v') => {
                self.pad(truth.to_string().as_bytes())
            }
            Value::Bool(_) => self.bad_verb(value, verb),
            Value::Int(..) => self.integer(value, verb),
            Value::Float(number) => self.float(*number, verb, value),
            Value::Complex(real, imaginary) => self.complex((*real, *imaginary), verb, value),
            Value::Text(text) => self.text(text, verb, value),
            Value::List(list) => self.list(list, verb, depth),
            Value::Map(map) => self.map(map, verb, depth),
            Value::Time(moment) if self.flags.sharp_v => {
                self.truncated(moment.go_syntax().as_bytes())
            }
            Value::Time(_) => Err(format!("a time cannot be printed with %{verb}")),
            Value::Version(version) => {
                self.write(b"&")?;
                self.structure("semver.Version", &fields(version), verb, depth)
            }
            Value::BareVersion(version) => {
                self.structure("semver.Version", &fields(version), verb, depth)
            }
        }
    }

    /// Asks the value's own `String` method, where Go would.
    fn own_text(&self, value: &Value, verb: char) -> Option<Vec<u8>> {
        if self.erroring || self.flags.sharp_v || !matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
            return None;
        }
        Some(match value {
            Value::Int(IntKind::Month, number) => duration::month_name(*number).into_bytes(),
            Value::Int(IntKind::Weekday, number) => duration::weekday_name(*number).into_bytes(),
            Value::Int(IntKind::Duration, nanoseconds) => {
                duration::format(*nanoseconds).into_bytes()
            }
            Value::Time(moment) => moment.to_string().into_bytes(),
            Value::Version(version) => version.to_string().into_bytes(),
            _ => return None,
        })
    }

    /// Reports a verb that does not fit, the way Go does it: inside the output.
    pub(super) fn bad_verb(&mut self, value: &Value, verb: char) -> Result<(), String> {
        self.write(format!("%!{verb}(").as_bytes())?;
        if value.is_nil() {
            self.write(b"<nil>")?;
        } else {
            self.write(value.type_name().as_bytes())?;
            self.write(b"=")?;
            let erroring = std::mem::replace(&mut self.erroring, true);
            self.value(value, 'v', 0)?;
            self.erroring = erroring;
        }
        self.write(b")")
    }

    fn list(&mut self, list: &List, verb: char, depth: usize) -> Result<(), String> {
        let go_syntax = self.flags.sharp_v;
        if go_syntax {
            self.write(list.kind().list_type_name().as_bytes())?;
            if list.is_nil() {
                return self.write(b"(nil)");
            }
        }
        self.write(if go_syntax { b"{" } else { b"[" })?;
        for (index, element) in list.elements().iter().enumerate() {
            if index > 0 {
                self.separator()?;
            }
            self.value(element, verb, depth + 1)?;
        }
        self.write(if go_syntax { b"}" } else { b"]" })
    }

    fn map(&mut self, map: &Map, verb: char, depth: usize) -> Result<(), String> {
        let go_syntax = self.flags.sharp_v;
        if go_syntax {
            self.write(map.kind().map_type_name().as_bytes())?;
            if map.is_nil() {
                return self.write(b"(nil)");
            }
        }
        self.write(if go_syntax { b"{" } else { b"map[" })?;
        self.budget.allow_elements(map.len())?;
        for (index, (name, element)) in map.snapshot().into_iter().enumerate() {
            if index > 0 {
                self.separator()?;
            }
            self.value(&Value::Text(name), verb, depth + 1)?;
            self.write(b":")?;
            self.value(&element, verb, depth + 1)?;
        }
        self.write(if go_syntax { b"}" } else { b"]" })
    }

    pub(super) fn separator(&mut self) -> Result<(), String> {
        self.write(if self.flags.sharp_v { b", " } else { b" " })
    }
}

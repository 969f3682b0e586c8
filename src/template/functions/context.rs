//! What functions share during one rendering: the purse, the clock, the dice, compiled expressions.
use crate::template::draws::{Draws, Sequence};
use crate::template::limits::{Budget, Limits};
use crate::template::value::{ElementKind, List, Map, Text, Value};
use chrono::{DateTime, Utc};
use regex::bytes::Regex;
use std::collections::HashMap;

/// Is the state that functions see and change.
#[derive(Debug)]
pub struct Context {
    /// What the rendering may still cost.
    pub budget: Budget,
    /// The time that `now` answers.
    pub now: DateTime<Utc>,
    /// Where random numbers come from.
    pub sequence: Sequence,
    /// Deepest a value may be nested where it is walked through.
    pub nesting: usize,
    /// Steps a whole rendering may take, of which an expensive function costs a share.
    pub all_steps: u64,
    /// Regular expressions compiled so far.
    pub expressions: HashMap<Text, Regex>,
    written: Vec<Map>,
}

impl Context {
    /// Starts the state of one rendering.
    pub fn new(draws: &Draws, limits: &Limits) -> Self {
        Context {
            budget: Budget::new(limits),
            now: draws.now,
            sequence: Sequence::new(draws.seed),
            nesting: limits.nesting,
            all_steps: limits.steps,
            expressions: HashMap::new(),
            written: Vec::new(),
        }
    }

    /// Writes a map entry, and remembers the map: it may now hold itself.
    pub fn write(&mut self, map: &Map, name: Text, value: Value) -> Result<(), String> {
        if matches!(value, Value::Map(_) | Value::List(_)) {
            self.written.push(map.clone());
        }
        map.insert(name, value)
    }

    /// Makes a string value, if it is not too long.
    pub fn text(&mut self, bytes: impl Into<Vec<u8>>) -> Result<Value, String> {
        let bytes = bytes.into();
        self.budget.allow_bytes(bytes.len())?;
        Ok(Value::from(bytes))
    }

    /// Makes a list of anything, if it is not too long.
    pub fn list(&mut self, elements: Vec<Value>) -> Result<Value, String> {
        self.budget.allow_elements(elements.len())?;
        Ok(Value::List(List::of_any(elements)))
    }

    /// Makes a list of strings, if it is not too long.
    pub fn texts<T: AsRef<[u8]>>(&mut self, texts: &[T]) -> Result<Value, String> {
        self.budget.allow_elements(texts.len())?;
        self.budget
            .allow_bytes(texts.iter().map(|text| text.as_ref().len()).sum())?;
        Ok(Value::List(List::new(
            ElementKind::Text,
            texts.iter().map(Value::text).collect(),
        )))
    }

    /// Pays for walking through a whole value, and refuses what is too large or too deep to walk.
    pub fn walk(&mut self, value: &Value) -> Result<(), String> {
        if matches!(value, Value::List(_) | Value::Map(_)) {
            let weight = value.weigh(self.all_steps as usize);
            self.budget.spend(weight as u64)?;
        }
        Ok(())
    }
}

/// Maps that were written to may hold themselves, which would keep their memory for ever.
impl Drop for Context {
    fn drop(&mut self) {
        for map in self.written.drain(..) {
            map.clear();
        }
    }
}

/// Reads a text argument; the parameters have been checked before.
pub fn text_of(values: &[Value], index: usize) -> &[u8] {
    match values.get(index) {
        Some(Value::Text(text)) => text,
        _ => b"",
    }
}

/// Reads a whole number argument.
pub fn int_of(values: &[Value], index: usize) -> i64 {
    match values.get(index) {
        Some(Value::Int(_, number)) => *number,
        _ => 0,
    }
}

/// Reads a map argument.
pub fn map_of(values: &[Value], index: usize) -> Map {
    match values.get(index) {
        Some(Value::Map(map)) => map.clone(),
        _ => Map::nil(),
    }
}

/// Reads a list of any kind, or says that the function has no use for what is there.
pub fn list_of<'v>(value: &'v Value, task: &str) -> Result<&'v List, String> {
    match value {
        Value::List(list) => Ok(list),
        Value::Missing | Value::Nil => Err("nil is not a list".into()),
        other => Err(format!("Cannot {task} on type {}", other.kind_name())),
    }
}

//! Values from outside, and copies that share nothing with the original.
use super::{List, Map, Text, Value};

impl From<serde_json::Value> for Value {
    /// Reads JSON as a values file is read: whole numbers become `int`.
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Value::Nil,
            serde_json::Value::Bool(truth) => Value::Bool(truth),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Value::int(whole),
                None => Value::Float(number.as_f64().unwrap_or(f64::INFINITY)),
            },
            serde_json::Value::String(text) => Value::from(text),
            serde_json::Value::Array(elements) => Value::List(List::of_any(
                elements.into_iter().map(Value::from).collect(),
            )),
            serde_json::Value::Object(entries) => entries
                .into_iter()
                .map(|(name, value)| (name, Value::from(value)))
                .collect(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Value::Text(bytes.into())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

impl<Name: AsRef<[u8]>> FromIterator<(Name, Value)> for Value {
    /// Makes a map.
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(entries: I) -> Self {
        Value::Map(Map::new(
            entries
                .into_iter()
                .map(|(name, value)| (Text::from(name.as_ref()), value))
                .collect(),
        ))
    }
}

impl Value {
    /// Copies the value with everything in it, at most `depth` levels deep; `None` when it is deeper.
    pub fn deep_copy(&self, depth: usize) -> Option<Value> {
        let below = depth.checked_sub(1)?;
        Some(match self {
            Value::List(list) if !list.is_nil() => {
                let elements = list
                    .elements()
                    .iter()
                    .map(|element| element.deep_copy(below))
                    .collect::<Option<_>>()?;
                Value::List(List::new(list.kind(), elements))
            }
            Value::Map(map) if !map.is_nil() => {
                let copies = map
                    .snapshot()
                    .into_iter()
                    .map(|(name, value)| Some((name, value.deep_copy(below)?)));
                Value::Map(Map::of(map.kind(), copies.collect::<Option<_>>()?))
            }
            other => other.clone(),
        })
    }

    /// Counts the value and everything in it, giving up beyond `limit`.
    pub fn weigh(&self, limit: usize) -> usize {
        let mut pending = vec![self.clone()];
        let mut weight = 0;
        while let Some(value) = pending.pop() {
            weight += 1;
            match &value {
                Value::List(list) => pending.extend_from_slice(list.elements()),
                Value::Map(map) => {
                    pending.extend(map.snapshot().into_iter().map(|(_, value)| value))
                }
                _ => {}
            }
            if weight + pending.len() > limit {
                return limit.saturating_add(1);
            }
        }
        weight
    }
}

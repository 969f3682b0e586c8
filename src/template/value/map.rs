//! Maps: shared by all that hold them, so that `set` is seen everywhere as in Go.
use super::{ElementKind, Text, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Is what a map holds, in the order it is printed.
pub type Entries = BTreeMap<Text, Value>;

/// Is a Go map with string keys.
#[derive(Clone, Debug)]
pub struct Map {
    kind: ElementKind,
    entries: Option<Rc<RefCell<Entries>>>,
}

impl Map {
    /// Makes a map from names to anything.
    pub fn new(entries: Entries) -> Self {
        Map::of(ElementKind::Any, entries)
    }

    /// Makes a map to elements of one kind.
    pub fn of(kind: ElementKind, entries: Entries) -> Self {
        Map {
            kind,
            entries: Some(Rc::new(RefCell::new(entries))),
        }
    }

    /// Makes the nil map, which reads as empty and cannot be written.
    pub fn nil() -> Self {
        Map {
            kind: ElementKind::Any,
            entries: None,
        }
    }

    /// Says what the elements are.
    pub fn kind(&self) -> ElementKind {
        self.kind
    }

    /// Says whether this is the nil map.
    pub fn is_nil(&self) -> bool {
        self.entries.is_none()
    }

    /// Says how many entries there are.
    pub fn len(&self) -> usize {
        self.entries
            .as_ref()
            .map_or(0, |entries| entries.borrow().len())
    }

    /// Looks up a name.
    pub fn get(&self, name: &[u8]) -> Option<Value> {
        self.entries.as_ref()?.borrow().get(name).cloned()
    }

    /// Looks up a name; what is not there reads as the zero value of the element type.
    pub fn get_or_zero(&self, name: &[u8]) -> Value {
        self.get(name).unwrap_or(match self.kind {
            ElementKind::Any => Value::Nil,
            ElementKind::Text => Value::text(""),
            ElementKind::Int => Value::int(0),
        })
    }

    /// Writes an entry; the nil map refuses.
    pub fn insert(&self, name: Text, value: Value) -> Result<(), String> {
        let entries = self
            .entries
            .as_ref()
            .ok_or("assignment to entry in nil map")?;
        let replaced = entries.borrow_mut().insert(name, value);
        drop(replaced);
        Ok(())
    }

    /// Removes an entry, if it is there.
    pub fn remove(&self, name: &[u8]) {
        if let Some(entries) = &self.entries {
            let removed = entries.borrow_mut().remove(name);
            drop(removed);
        }
    }

    /// Copies out the entries, in order.
    pub fn snapshot(&self) -> Vec<(Text, Value)> {
        match &self.entries {
            Some(entries) => entries
                .borrow()
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            None => Vec::new(),
        }
    }

    /// Removes everything, which also opens a ring of maps that hold each other.
    pub fn clear(&self) {
        if let Some(entries) = &self.entries {
            let removed = std::mem::take(&mut *entries.borrow_mut());
            drop_flat(removed.into_values().collect());
        }
    }

    fn take_values(&mut self) -> Vec<Value> {
        match self.entries.take().and_then(Rc::into_inner) {
            Some(entries) => entries.into_inner().into_values().collect(),
            None => Vec::new(),
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        drop_flat(self.take_values());
    }
}

/// Drops values without recursion, however deeply they are nested.
pub(super) fn drop_flat(mut pending: Vec<Value>) {
    while let Some(mut value) = pending.pop() {
        match &mut value {
            Value::List(list) => pending.extend(list.take_elements()),
            Value::Map(map) => pending.extend(map.take_values()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::List;
    use super::*;

    #[test]
    fn a_very_deep_value_is_dropped_without_exhausting_the_stack() {
        let mut value = Value::Nil;
        for _ in 0..200_000 {
            value = Value::Map(Map::new(Entries::from([(
                Text::from(*b"k"),
                Value::List(List::of_any(vec![value])),
            )])));
        }
        drop(value);
    }

    #[test]
    fn a_map_is_shared_by_all_that_hold_it() {
        let map = Map::new(Entries::new());
        let same = map.clone();
        map.insert(Text::from(*b"a"), Value::int(1))
            .expect("not nil");
        assert_eq!(same.len(), 1);
    }
}

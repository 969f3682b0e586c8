//! Lists: Go slices, which nothing in a template changes in place.
use super::{ElementKind, Value};
use std::rc::Rc;

/// Is a Go slice; a nil one is empty too but prints differently as JSON.
#[derive(Clone, Debug)]
pub struct List {
    kind: ElementKind,
    elements: Option<Rc<Vec<Value>>>,
}

impl List {
    /// Makes a list of elements of one kind.
    pub fn new(kind: ElementKind, elements: Vec<Value>) -> Self {
        List {
            kind,
            elements: Some(Rc::new(elements)),
        }
    }

    /// Makes a list of anything.
    pub fn of_any(elements: Vec<Value>) -> Self {
        List::new(ElementKind::Any, elements)
    }

    /// Makes a list of strings.
    pub fn of_texts<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> Self {
        List::new(
            ElementKind::Text,
            texts.into_iter().map(Value::text).collect(),
        )
    }

    /// Makes the nil slice.
    pub fn nil(kind: ElementKind) -> Self {
        List {
            kind,
            elements: None,
        }
    }

    /// Says what the elements are.
    pub fn kind(&self) -> ElementKind {
        self.kind
    }

    /// Says whether this is the nil slice.
    pub fn is_nil(&self) -> bool {
        self.elements.is_none()
    }

    /// Says whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.elements().is_empty()
    }

    /// Shows the elements.
    pub fn elements(&self) -> &[Value] {
        self.elements.as_deref().map_or(&[], Vec::as_slice)
    }
}

/// Long chains of lists in lists are taken apart one by one: the compiler's own
/// recursive drop would exhaust the stack.
impl Drop for List {
    fn drop(&mut self) {
        let Some(elements) = self.elements.take().and_then(Rc::into_inner) else {
            return;
        };
        super::map::drop_flat(elements);
    }
}

impl List {
    /// Takes the elements if nobody else holds them.
    pub(super) fn take_elements(&mut self) -> Vec<Value> {
        self.elements
            .take()
            .and_then(Rc::into_inner)
            .unwrap_or_default()
    }
}

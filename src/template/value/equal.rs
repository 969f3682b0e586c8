//! Deep equality: same types and same contents.
use super::Value;

/// Compares as `reflect.DeepEqual` does; too deep a value is an error, told by `None`.
pub fn deep_equal(left: &Value, right: &Value, depth: usize) -> Option<bool> {
    let below = depth.checked_sub(1)?;
    Some(match (left, right) {
        (Value::Missing | Value::Nil, Value::Missing | Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(kind_a, a), Value::Int(kind_b, b)) => kind_a == kind_b && a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Complex(a, b), Value::Complex(c, d)) => a == c && b == d,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            let alike = a.kind() == b.kind()
                && a.is_nil() == b.is_nil()
                && a.elements().len() == b.elements().len();
            alike && all_equal(a.elements().iter().zip(b.elements()), below)?
        }
        (Value::Map(a), Value::Map(b)) => {
            let (entries_a, entries_b) = (a.snapshot(), b.snapshot());
            let names_alike = entries_a
                .iter()
                .map(|entry| &entry.0)
                .eq(entries_b.iter().map(|entry| &entry.0));
            let alike = a.kind() == b.kind() && a.is_nil() == b.is_nil() && names_alike;
            alike
                && all_equal(
                    entries_a
                        .iter()
                        .map(|entry| &entry.1)
                        .zip(entries_b.iter().map(|entry| &entry.1)),
                    below,
                )?
        }
        (Value::Time(a), Value::Time(b)) => a == b,
        (Value::Version(a), Value::Version(b)) | (Value::BareVersion(a), Value::BareVersion(b)) => {
            a == b
        }
        _ => false,
    })
}

fn all_equal<'v>(
    pairs: impl Iterator<Item = (&'v Value, &'v Value)>,
    depth: usize,
) -> Option<bool> {
    for (left, right) in pairs {
        if !deep_equal(left, right, depth)? {
            return Some(false);
        }
    }
    Some(true)
}

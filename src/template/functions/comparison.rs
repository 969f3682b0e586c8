//! Go's comparisons: `eq`, `ne`, `lt`, `le`, `gt`, `ge`, each only between values of one kind.
use super::Context;
use super::signature::{Function, Parameter};
use crate::template::value::Value;
use std::cmp::Ordering;

const PAIR: &[Parameter] = &[Parameter::Any, Parameter::Any];

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::variadic("eq", PAIR, equals_any),
    Function::new("ne", PAIR, |_, values| {
        Ok(Value::Bool(!equals(&values[0], &values[1])?))
    }),
    Function::new("lt", PAIR, |_, values| {
        Ok(Value::Bool(less(&values[0], &values[1])?))
    }),
    Function::new("le", PAIR, |_, values| {
        Ok(Value::Bool(less_or_equal(&values[0], &values[1])?))
    }),
    Function::new("gt", PAIR, |_, values| {
        Ok(Value::Bool(!less_or_equal(&values[0], &values[1])?))
    }),
    Function::new("ge", PAIR, |_, values| {
        Ok(Value::Bool(!less(&values[0], &values[1])?))
    }),
];

/// Says whether the first value equals any of the others.
fn equals_any(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    if values.len() < 2 {
        return Err("missing argument for comparison".into());
    }
    for other in &values[1..] {
        context.budget.spend(1)?;
        if equals(&values[0], other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn equals(left: &Value, right: &Value) -> Result<bool, String> {
    Ok(match (left, right) {
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(_, a), Value::Int(_, b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Complex(a, b), Value::Complex(c, d)) => a == c && b == d,
        (Value::Text(a), Value::Text(b)) => a == b,
        (a, b) if a.is_nil() || b.is_nil() => is_nil(a) && is_nil(b),
        (a, b) if is_basic(a) || is_basic(b) || a.kind_name() != b.kind_name() => {
            return Err(incompatible(a, b));
        }
        (a, b) if is_nil(a) || is_nil(b) => is_nil(a) && is_nil(b),
        (Value::Version(a), Value::Version(b)) => std::rc::Rc::ptr_eq(a, b),
        (Value::BareVersion(a), Value::BareVersion(b)) => a == b,
        (Value::Time(a), Value::Time(b)) => a == b,
        (_, b) => return Err(format!("non-comparable type: {}", b.type_name())),
    })
}

/// Says whether a value is nil in Go's eyes: nothing, or a nil list or map.
fn is_nil(value: &Value) -> bool {
    match value {
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        other => other.is_nil(),
    }
}

fn is_basic(value: &Value) -> bool {
    matches!(
        value,
        Value::Bool(_) | Value::Int(..) | Value::Float(_) | Value::Complex(..) | Value::Text(_)
    )
}

fn incompatible(left: &Value, right: &Value) -> String {
    format!(
        "incompatible types for comparison: {} and {}",
        left.type_name(),
        right.type_name()
    )
}

fn less(left: &Value, right: &Value) -> Result<bool, String> {
    Ok(order(left, right)? == Some(Ordering::Less))
}

fn less_or_equal(left: &Value, right: &Value) -> Result<bool, String> {
    Ok(matches!(
        order(left, right)?,
        Some(Ordering::Less | Ordering::Equal)
    ))
}

/// Orders two values; a float that is not a number has no place.
fn order(left: &Value, right: &Value) -> Result<Option<Ordering>, String> {
    match (left, right) {
        (Value::Int(_, a), Value::Int(_, b)) => Ok(Some(a.cmp(b))),
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
        (Value::Text(a), Value::Text(b)) => Ok(Some(a.cmp(b))),
        (a, b) if is_basic(a) && is_basic(b) && a.kind_name() != b.kind_name() => {
            Err(incompatible(a, b))
        }
        _ => Err("invalid type for comparison".into()),
    }
}

//! Lists: making, taking apart and comparing them; none is changed in place.
use super::Context;
use super::context::list_of;
use super::math::to_int;
use super::signature::{Function, Parameter};
use crate::template::value::{ElementKind, List, Value, deep_equal};

const ONE: &[Parameter] = &[Parameter::Any];
const TWO: &[Parameter] = &[Parameter::Any, Parameter::Any];

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::variadic("list", ONE, |context, values| context.list(values.to_vec())),
    Function::variadic("tuple", ONE, |context, values| {
        context.list(values.to_vec())
    }),
    Function::new("append", TWO, append),
    Function::new("push", TWO, append),
    Function::new("prepend", TWO, prepend),
    Function::new("first", ONE, |_, values| {
        Ok(elements(values, "find first")?
            .first()
            .cloned()
            .unwrap_or_default())
    }),
    Function::new("last", ONE, |_, values| {
        Ok(elements(values, "find last")?
            .last()
            .cloned()
            .unwrap_or_default())
    }),
    Function::new("rest", ONE, |context, values| {
        all_but(context, elements(values, "find rest")?.split_first())
    }),
    Function::new("initial", ONE, |context, values| {
        all_but(context, elements(values, "find initial")?.split_last())
    }),
    Function::new("reverse", ONE, |context, values| {
        let reversed = elements(values, "find reverse")?
            .iter()
            .rev()
            .cloned()
            .collect();
        context.list(reversed)
    }),
    Function::new("compact", ONE, |context, values| {
        let full = elements(values, "compact")?
            .iter()
            .filter(|value| !value.is_empty())
            .cloned()
            .collect();
        context.list(full)
    }),
    Function::new("uniq", ONE, unique),
    Function::variadic("without", TWO, without),
    Function::new("has", TWO, has),
    Function::variadic("slice", TWO, slice),
    Function::variadic("concat", ONE, concat),
];

fn elements<'v>(values: &'v [Value], task: &str) -> Result<&'v [Value], String> {
    list_of(&values[0], task).map(List::elements)
}

fn append(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let elements = elements(values, "push")?;
    context.budget.fits_elements(elements.len() + 1)?;
    context.list([elements, &values[1..]].concat())
}

fn prepend(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let elements = elements(values, "prepend")?;
    context.budget.fits_elements(elements.len() + 1)?;
    context.list([&values[1..], elements].concat())
}

/// Makes a list of what is left beside one end; of an empty list, the nil slice.
fn all_but(context: &mut Context, split: Option<(&Value, &[Value])>) -> Result<Value, String> {
    match split {
        Some((_, others)) => context.list(others.to_vec()),
        None => Ok(Value::List(List::nil(ElementKind::Any))),
    }
}

fn contains(context: &mut Context, haystack: &[Value], needle: &Value) -> Result<bool, String> {
    for value in haystack {
        context.budget.spend(1)?;
        context.walk(value)?;
        if deep_equal(needle, value, context.nesting).ok_or("the values are nested too deeply")? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn unique(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let mut kept: Vec<Value> = Vec::new();
    for value in elements(values, "find uniq")? {
        if !contains(context, &kept, value)? {
            kept.push(value.clone());
        }
    }
    context.list(kept)
}

fn without(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let mut kept = Vec::new();
    for value in elements(values, "find without")? {
        if !contains(context, &values[1..], value)? {
            kept.push(value.clone());
        }
    }
    context.list(kept)
}

fn has(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    if values[1].is_nil() {
        return Ok(Value::Bool(false));
    }
    let haystack = list_of(&values[1], "find has")?.elements();
    contains(context, haystack, &values[0]).map(Value::Bool)
}

/// Cuts a list between two positions and keeps its type; sprig's, not Go's own, so strings are refused.
fn slice(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let list = list_of(&values[0], "slice")?;
    if list.is_empty() {
        return Ok(Value::Nil);
    }
    let start = values.get(1).map_or(0, to_int);
    let end = values.get(2).map_or(list.elements().len() as i64, to_int);
    let part = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = part.and_then(|(start, end)| list.elements().get(start..end));
    let part = part.ok_or_else(|| format!("slice bounds out of range [{start}:{end}]"))?;
    context.budget.allow_elements(part.len())?;
    Ok(Value::List(List::new(list.kind(), part.to_vec())))
}

fn concat(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let mut all = Vec::new();
    for value in values {
        let list = list_of(value, "concat")?;
        context
            .budget
            .fits_elements(all.len() + list.elements().len())?;
        all.extend_from_slice(list.elements());
    }
    if all.is_empty() {
        return Ok(Value::List(List::nil(ElementKind::Any)));
    }
    context.list(all)
}

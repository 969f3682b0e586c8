//! Maps: making, reading and changing them in place.
use super::Context;
use super::context::{map_of, text_of};
use super::signature::{Function, Parameter};
use crate::template::print::to_text;
use crate::template::value::{ElementKind, List, Map, Text, Value};
use std::collections::BTreeMap;

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::variadic("dict", &[Parameter::Any], dict),
    Function::new(
        "set",
        &[Parameter::Map, Parameter::Text, Parameter::Any],
        set,
    ),
    Function::new("unset", &[Parameter::Map, Parameter::Text], unset),
    Function::new("hasKey", &[Parameter::Map, Parameter::Text], |_, values| {
        Ok(Value::Bool(
            map_of(values, 0).get(text_of(values, 1)).is_some(),
        ))
    }),
    Function::variadic("pluck", &[Parameter::Text, Parameter::Map], pluck),
    Function::variadic("keys", &[Parameter::Map], keys),
    Function::variadic(
        "pick",
        &[Parameter::Map, Parameter::Text],
        |context, values| choose(context, values, true),
    ),
    Function::variadic(
        "omit",
        &[Parameter::Map, Parameter::Text],
        |context, values| choose(context, values, false),
    ),
    Function::new("values", &[Parameter::Map], |context, values| {
        context.list(
            map_of(values, 0)
                .snapshot()
                .into_iter()
                .map(|(_, value)| value)
                .collect(),
        )
    }),
];

fn dict(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    context.budget.allow_elements(values.len())?;
    let mut entries = BTreeMap::new();
    for pair in values.chunks(2) {
        let name = to_text(&pair[0], &mut context.budget)?;
        entries.insert(
            Text::from(name),
            pair.get(1).cloned().unwrap_or_else(|| Value::text("")),
        );
    }
    Ok(Value::Map(Map::new(entries)))
}

fn set(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let map = map_of(values, 0);
    context.write(&map, text_of(values, 1).into(), values[2].clone())?;
    Ok(Value::Map(map))
}

fn unset(_: &mut Context, values: &[Value]) -> Result<Value, String> {
    let map = map_of(values, 0);
    map.remove(text_of(values, 1));
    Ok(Value::Map(map))
}

/// Collects what each map has under one name.
fn pluck(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let name = text_of(values, 0);
    let found = (1..values.len())
        .filter_map(|index| map_of(values, index).get(name))
        .collect();
    context.list(found)
}

/// Lists the names of all the maps, in order: Go's own order is random.
fn keys(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let mut names = Vec::new();
    for index in 0..values.len() {
        let map = map_of(values, index);
        context.budget.allow_elements(map.len())?;
        names.extend(
            map.snapshot()
                .into_iter()
                .map(|(name, _)| Value::Text(name)),
        );
    }
    context.budget.allow_elements(names.len())?;
    Ok(Value::List(List::new(ElementKind::Text, names)))
}

/// Copies the entries whose names are listed, or the others.
fn choose(context: &mut Context, values: &[Value], wanted: bool) -> Result<Value, String> {
    let map = map_of(values, 0);
    context.budget.allow_elements(map.len())?;
    context
        .budget
        .spend((map.len() * values.len()) as u64 / 8)?;
    let listed = |name: &Text| (1..values.len()).any(|index| text_of(values, index) == &name[..]);
    let kept = map
        .snapshot()
        .into_iter()
        .filter(|(name, _)| listed(name) == wanted);
    Ok(Value::Map(Map::new(kept.collect())))
}

//! Merging maps into the first of them, and copying values deeply.
use super::Context;
use super::context::map_of;
use super::signature::{Function, Parameter};
use crate::template::value::{ElementKind, Map, Value};
use std::collections::BTreeMap;

const MAPS: &[Parameter] = &[Parameter::Map, Parameter::Map];

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::variadic("merge", MAPS, |context, values| {
        merge_all(context, values, false)
    }),
    Function::variadic("mergeOverwrite", MAPS, |context, values| {
        merge_all(context, values, true)
    }),
    Function::new("deepCopy", &[Parameter::Any], deep_copy),
];

fn merge_all(context: &mut Context, values: &[Value], overwrite: bool) -> Result<Value, String> {
    let mut target = map_of(values, 0);
    for index in 1..values.len() {
        let source = map_of(values, index);
        if target.is_nil() && !source.is_nil() {
            target = Map::new(BTreeMap::new());
        }
        merge(context, (&target, &source), overwrite, 0)?;
    }
    Ok(Value::Map(target))
}

/// Merges one map into another: entries fill gaps, or replace; maps in both are merged in turn.
fn merge(
    context: &mut Context,
    (target, source): (&Map, &Map),
    overwrite: bool,
    depth: usize,
) -> Result<(), String> {
    context.budget.allow_depth(depth)?;
    context.budget.allow_elements(source.len())?;
    for (name, value) in source.snapshot() {
        context.budget.spend(1)?;
        let present = target.get(&name);
        if value.is_nil() {
            if overwrite {
                context.write(target, name, value)?;
            }
            continue;
        }
        if let (Some(Value::Map(inner)), Value::Map(added)) = (&present, &value) {
            if inner.kind() != added.kind() && inner.kind() != ElementKind::Any {
                return Err("maps of different types cannot be merged".into());
            }
            merge(context, (inner, added), overwrite, depth + 1)?;
        }
        if let (Value::List(_), true) = (&value, overwrite || target.len() == 0) {
            context.write(target, name.clone(), value.clone())?;
        }
        let is_gap = present.is_none_or(|present| is_gap(&present));
        let is_collection = matches!(value, Value::Map(_) | Value::List(_));
        if is_gap || overwrite && !is_collection {
            context.write(target, name, value)?;
        }
    }
    Ok(())
}

/// Says whether an entry counts as absent, so that merging fills it.
fn is_gap(value: &Value) -> bool {
    value.is_empty()
}

fn deep_copy(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    if values[0].is_nil() {
        return Err("nil cannot be copied".into());
    }
    context.walk(&values[0])?;
    values[0]
        .deep_copy(context.nesting)
        .ok_or_else(|| "the value is nested too deeply, or holds itself".into())
}

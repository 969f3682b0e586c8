//! Go's own functions: printing, `len`, `index`, `not`, `and`, `or`, `call`.
use super::Context;
use super::context::text_of;
use super::signature::{Body, Function, Parameter};
use crate::template::print;
use crate::template::value::{IntKind, Value};

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "and",
        parameters: &[Parameter::Any, Parameter::Any],
        variadic: true,
        body: Body::And,
    },
    Function {
        name: "or",
        parameters: &[Parameter::Any, Parameter::Any],
        variadic: true,
        body: Body::Or,
    },
    Function::new("not", &[Parameter::Any], |_, values| {
        Ok(Value::Bool(!values[0].is_true()))
    }),
    Function::new("len", &[Parameter::Any], length),
    Function::variadic("index", &[Parameter::Any, Parameter::Any], index),
    Function::variadic("call", &[Parameter::Any, Parameter::Any], call),
    Function::variadic("print", &[Parameter::Any], |context, values| {
        print::sprint(values, &mut context.budget).map(Value::from)
    }),
    Function::variadic("println", &[Parameter::Any], |context, values| {
        print::sprintln(values, &mut context.budget).map(Value::from)
    }),
    Function::variadic(
        "printf",
        &[Parameter::Text, Parameter::Any],
        |context, values| {
            print::sprintf(text_of(values, 0), &values[1..], &mut context.budget).map(Value::from)
        },
    ),
];

fn length(_: &mut Context, values: &[Value]) -> Result<Value, String> {
    let length = match &values[0] {
        Value::Text(text) => text.len(),
        Value::List(list) => list.elements().len(),
        Value::Map(map) => map.len(),
        Value::Missing | Value::Nil => return Err("len of nil pointer".into()),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Value::int(length as i64))
}

/// Follows the indexes one by one into lists, maps and strings.
fn index(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let mut item = values[0].clone();
    if item.is_nil() {
        return Err("index of untyped nil".into());
    }
    for index in &values[1..] {
        context.budget.spend(1)?;
        item = match &item {
            Value::Text(text) => {
                let byte = text[position(index, text.len())?];
                Value::Int(IntKind::Byte, i64::from(byte))
            }
            Value::List(list) => list.elements()[position(index, list.elements().len())?].clone(),
            Value::Map(map) => match index {
                Value::Text(name) => map.get_or_zero(name),
                Value::Missing | Value::Nil => {
                    return Err("value is nil; should be of type string".into());
                }
                other => {
                    return Err(format!(
                        "value has type {}; should be string",
                        other.type_name()
                    ));
                }
            },
            Value::Missing | Value::Nil => return Err("index of nil pointer".into()),
            other => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(item)
}

fn position(index: &Value, length: usize) -> Result<usize, String> {
    match index {
        Value::Int(_, number) => {
            let inside = usize::try_from(*number)
                .ok()
                .filter(|number| *number < length);
            inside.ok_or_else(|| format!("index out of range: {number}"))
        }
        Value::Missing | Value::Nil => Err("cannot index slice/array with nil".into()),
        other => Err(format!(
            "cannot index slice/array with type {}",
            other.type_name()
        )),
    }
}

/// Refuses: no value of a template is a function.
fn call(_: &mut Context, values: &[Value]) -> Result<Value, String> {
    match &values[0] {
        Value::Missing | Value::Nil => Err("call of nil".into()),
        other => Err(format!("non-function of type {}", other.type_name())),
    }
}

//! What to take when a value is empty, and values as JSON.
use super::signature::{Function, Parameter};
use super::{Context, json};
use crate::template::value::Value;

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::variadic("default", &[Parameter::Any, Parameter::Any], |_, values| {
        let given = values.get(1).filter(|given| !given.is_empty());
        Ok(given.unwrap_or(&values[0]).clone())
    }),
    Function::new("empty", &[Parameter::Any], |_, values| {
        Ok(Value::Bool(values[0].is_empty()))
    }),
    Function::variadic("coalesce", &[Parameter::Any], |_, values| {
        Ok(values
            .iter()
            .find(|value| !value.is_empty())
            .cloned()
            .unwrap_or_default())
    }),
    Function::new(
        "ternary",
        &[Parameter::Any, Parameter::Any, Parameter::Bool],
        |_, values| {
            Ok(if values[2].is_true() {
                values[0].clone()
            } else {
                values[1].clone()
            })
        },
    ),
    Function::new("toJson", &[Parameter::Any], |context, values| {
        encode(context, &values[0], false)
    }),
    Function::new("toPrettyJson", &[Parameter::Any], |context, values| {
        encode(context, &values[0], true)
    }),
    Function::new("fail", &[Parameter::Text], |_, values| {
        Err(String::from_utf8_lossy(super::context::text_of(values, 0)).into_owned())
    }),
    Function::new("hello", &[], |_, _| Ok(Value::text("Hello!"))),
];

/// Encodes a value; what JSON cannot hold gives an empty text, as in sprig.
fn encode(context: &mut Context, value: &Value, pretty: bool) -> Result<Value, String> {
    context.walk(value)?;
    let encoded = json::encode(value, pretty, &mut context.budget)?;
    context.text(encoded.unwrap_or_default())
}

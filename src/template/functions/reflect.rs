//! Types and kinds of values, and deep equality.
use super::Context;
use super::context::text_of;
use super::signature::{Function, Parameter};
use crate::template::value::{Value, deep_equal};

const NAMED: &[Parameter] = &[Parameter::Text, Parameter::Any];

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new("typeOf", &[Parameter::Any], |_, values| {
        Ok(Value::text(values[0].type_name()))
    }),
    Function::new("typeIs", NAMED, |_, values| {
        Ok(Value::Bool(
            text_of(values, 0) == values[1].type_name().as_bytes(),
        ))
    }),
    Function::new("typeIsLike", NAMED, |_, values| {
        let (wanted, found) = (text_of(values, 0), values[1].type_name().as_bytes());
        Ok(Value::Bool(
            wanted == found || found.strip_prefix(b"*") == Some(wanted),
        ))
    }),
    Function::new("kindOf", &[Parameter::Any], |_, values| {
        Ok(Value::text(values[0].kind_name()))
    }),
    Function::new("kindIs", NAMED, |_, values| {
        Ok(Value::Bool(
            text_of(values, 0) == values[1].kind_name().as_bytes(),
        ))
    }),
    Function::new("deepEqual", &[Parameter::Any, Parameter::Any], equal),
];

fn equal(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    context.walk(&values[0])?;
    context.walk(&values[1])?;
    let equal = deep_equal(&values[0], &values[1], context.nesting);
    equal
        .map(Value::Bool)
        .ok_or_else(|| "the values are nested too deeply".into())
}

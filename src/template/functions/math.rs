//! Whole and floating point arithmetic, on whatever can be read as a number.
use super::Context;
use super::signature::{Function, Parameter};
use crate::template::parser::number::parse_float;
use crate::template::print::to_text;
use crate::template::value::Value;

const ONE: &[Parameter] = &[Parameter::Any];
const TWO: &[Parameter] = &[Parameter::Any, Parameter::Any];

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new("int", ONE, |_, values| Ok(Value::int(to_int(&values[0])))),
    Function::new("int64", ONE, |_, values| {
        Ok(Value::int64(to_int(&values[0])))
    }),
    Function::new("float64", ONE, |_, values| {
        Ok(Value::Float(to_float(&values[0])))
    }),
    Function::new("atoi", &[Parameter::Text], |_, values| {
        Ok(Value::int(to_int(&values[0])))
    }),
    Function::new("toDecimal", ONE, to_decimal),
    Function::new("add1", ONE, |_, values| {
        Ok(Value::int64(to_int(&values[0]).wrapping_add(1)))
    }),
    Function::variadic("add", ONE, |_, values| Ok(fold(values, i64::wrapping_add))),
    Function::new("sub", TWO, |_, values| Ok(fold(values, i64::wrapping_sub))),
    Function::variadic("mul", TWO, |_, values| Ok(fold(values, i64::wrapping_mul))),
    Function::new("div", TWO, |_, values| divide(values, i64::wrapping_div)),
    Function::new("mod", TWO, |_, values| divide(values, i64::wrapping_rem)),
    Function::variadic("max", TWO, |_, values| Ok(fold(values, i64::max))),
    Function::variadic("biggest", TWO, |_, values| Ok(fold(values, i64::max))),
    Function::variadic("min", TWO, |_, values| Ok(fold(values, i64::min))),
    Function::new("floor", ONE, |_, values| {
        Ok(Value::Float(to_float(&values[0]).floor()))
    }),
    Function::new("ceil", ONE, |_, values| {
        Ok(Value::Float(to_float(&values[0]).ceil()))
    }),
    Function::variadic(
        "round",
        &[Parameter::Any, Parameter::Int, Parameter::Float],
        round,
    ),
];

/// Reads a value as a whole number; what is none reads as 0.
pub fn to_int(value: &Value) -> i64 {
    match value {
        Value::Text(text) => std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0),
        Value::Int(_, number) => *number,
        Value::Float(number) => truncate(*number),
        Value::Bool(truth) => i64::from(*truth),
        _ => 0,
    }
}

/// Converts as the processor does: what does not fit becomes the smallest number.
fn truncate(number: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number) {
        number as i64
    } else {
        i64::MIN
    }
}

/// Reads a value as a floating point number; what is none reads as 0.
pub fn to_float(value: &Value) -> f64 {
    match value {
        Value::Text(text) => std::str::from_utf8(text)
            .ok()
            .and_then(parse_float)
            .unwrap_or(0.0),
        Value::Int(_, number) => *number as f64,
        Value::Float(number) => *number,
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        _ => 0.0,
    }
}

fn fold(values: &[Value], combine: fn(i64, i64) -> i64) -> Value {
    Value::int64(values.iter().map(to_int).reduce(combine).unwrap_or(0))
}

fn divide(values: &[Value], divide: fn(i64, i64) -> i64) -> Result<Value, String> {
    match (to_int(&values[0]), to_int(&values[1])) {
        (_, 0) => Err("integer divide by zero".into()),
        (dividend, divisor) => Ok(Value::int64(divide(dividend, divisor))),
    }
}

/// Reads a value's text as octal.
fn to_decimal(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let text = to_text(&values[0], &mut context.budget)?;
    let number = std::str::from_utf8(&text)
        .ok()
        .and_then(|text| i64::from_str_radix(text, 8).ok());
    Ok(Value::int64(number.unwrap_or(0)))
}

/// Rounds to decimal places; the third argument moves the border between up and down.
fn round(_: &mut Context, values: &[Value]) -> Result<Value, String> {
    let border = match values.get(2) {
        Some(Value::Float(border)) => *border,
        _ => 0.5,
    };
    let scale = 10f64.powf(to_float(&values[1]));
    let scaled = scale * to_float(&values[0]);
    let rounded = if scaled.fract() >= border {
        scaled.ceil()
    } else {
        scaled.floor()
    };
    Ok(Value::Float(rounded / scale))
}

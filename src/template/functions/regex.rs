//! Regular expressions in Go's syntax.
use super::Context;
use super::context::{int_of, text_of};
use super::regex_syntax::translate;
use super::signature::{Function, Parameter};
use crate::template::value::{ElementKind, List, Value};
use regex::bytes::{NoExpand, Regex, RegexBuilder};
use std::ops::Range;

const TWO: &[Parameter] = &[Parameter::Text, Parameter::Text];
const THREE: &[Parameter] = &[Parameter::Text, Parameter::Text, Parameter::Text];
const LIMITED: &[Parameter] = &[Parameter::Text, Parameter::Text, Parameter::Int];

/// Largest compiled expression, in bytes.
const COMPILED_BYTES: usize = 256 << 10;

/// Steps that compiling an expression costs: it is the slowest thing a template can ask for.
const STEPS_TO_COMPILE: u64 = 10_000;

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new("regexMatch", TWO, |context, values| {
        let (expression, text) = (expression(context, text_of(values, 0)), text_of(values, 1));
        pay(context, text_of(values, 0), text)?;
        Ok(Value::Bool(
            expression.is_ok_and(|expression| expression.is_match(text)),
        ))
    }),
    Function::new("regexFind", TWO, |context, values| {
        let (expression, text) = prepared(context, values)?;
        context.text(
            expression
                .find(text)
                .map_or(&b""[..], |found| found.as_bytes()),
        )
    }),
    Function::new("regexFindAll", LIMITED, find_all),
    Function::new("regexReplaceAll", THREE, |context, values| {
        replace(context, values, true)
    }),
    Function::new("regexReplaceAllLiteral", THREE, |context, values| {
        replace(context, values, false)
    }),
    Function::new("regexSplit", LIMITED, split),
];

/// Compiles an expression once for a rendering.
fn expression(context: &mut Context, pattern: &[u8]) -> Result<Regex, String> {
    if let Some(known) = context.expressions.get(pattern) {
        return Ok(known.clone());
    }
    context.budget.spend(STEPS_TO_COMPILE)?;
    context.budget.spend(pattern.len() as u64 * 10)?;
    let source = std::str::from_utf8(pattern).map_err(|_| "error parsing regexp: invalid UTF-8")?;
    let fault = |why: &str| format!("regexp: Compile({source:?}): error parsing regexp: {why}");
    let translated = translate(source).map_err(|why| fault(&why))?;
    let built = RegexBuilder::new(&translated)
        .size_limit(COMPILED_BYTES)
        .dfa_size_limit(COMPILED_BYTES)
        .nest_limit(50)
        .build();
    let compiled =
        built.map_err(|error| fault(error.to_string().lines().last().unwrap_or_default()))?;
    context.expressions.insert(pattern.into(), compiled.clone());
    Ok(compiled)
}

/// Pays for a search, whose time grows with the expression and the text.
fn pay(context: &mut Context, pattern: &[u8], text: &[u8]) -> Result<(), String> {
    context
        .budget
        .touch(text.len().saturating_mul(pattern.len() + 1))
}

fn prepared<'v>(context: &mut Context, values: &'v [Value]) -> Result<(Regex, &'v [u8]), String> {
    let expression = expression(context, text_of(values, 0))?;
    let text = text_of(values, 1);
    pay(context, text_of(values, 0), text)?;
    Ok((expression, text))
}

/// Finds matches, at most so many unless the count is negative, paying for each.
fn matches(
    context: &mut Context,
    values: &[Value],
    most: i64,
) -> Result<Vec<Range<usize>>, String> {
    let (expression, text) = prepared(context, values)?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    for place in expression.find_iter(text).take(most) {
        context.budget.spend(1)?;
        found.push(place.range());
    }
    Ok(found)
}

fn find_all(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let found = matches(context, values, int_of(values, 2))?;
    if found.is_empty() {
        return Ok(Value::List(List::nil(ElementKind::Text)));
    }
    let text = text_of(values, 1);
    let texts: Vec<&[u8]> = found.into_iter().map(|place| &text[place]).collect();
    context.texts(&texts)
}

fn replace(context: &mut Context, values: &[Value], expands: bool) -> Result<Value, String> {
    let replacement = text_of(values, 2);
    let count = matches(context, values, -1)?.len();
    let (expression, text) = prepared(context, values)?;
    // Each `$` may stand for the whole match, so what is made is bounded before it is made.
    let references = replacement.iter().filter(|byte| **byte == b'$').count();
    let grown = if expands {
        references.saturating_mul(text.len())
    } else {
        0
    };
    let bound = text
        .len()
        .saturating_add(grown)
        .saturating_add(count.saturating_mul(replacement.len()));
    context.budget.allow_bytes(bound)?;
    let replaced = match expands {
        true => expression.replace_all(text, replacement),
        false => expression.replace_all(text, NoExpand(replacement)),
    };
    context.text(replaced)
}

/// Splits text around matches into at most so many parts, any number if negative.
fn split(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let most = int_of(values, 2);
    let (pattern, text) = (text_of(values, 0), text_of(values, 1));
    if most == 0 {
        expression(context, pattern)?;
        return Ok(Value::List(List::nil(ElementKind::Text)));
    }
    if !pattern.is_empty() && text.is_empty() {
        expression(context, pattern)?;
        return context.texts(&[b""]);
    }
    let mut parts = Vec::new();
    let (mut from, mut end) = (0, 0);
    for place in matches(context, values, most)? {
        if most > 0 && parts.len() as i64 == most - 1 {
            break;
        }
        end = place.start;
        if place.end != 0 {
            parts.push(&text[from..end]);
        }
        from = place.end;
    }
    if end != text.len() {
        parts.push(&text[from..]);
    }
    context.texts(&parts)
}

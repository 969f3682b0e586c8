//! Regular expressions in Go's syntax.
use super::Context;
use super::context::{int_of, text_of};
use super::regex_syntax::translate;
use super::signature::{Function, Parameter};
use crate::template::value::{ElementKind, List, Value, runes};
use regex::bytes::{Regex, RegexBuilder};
use std::ops::Range;

const TWO: &[Parameter] = &[Parameter::Text, Parameter::Text];
const THREE: &[Parameter] = &[Parameter::Text, Parameter::Text, Parameter::Text];
const LIMITED: &[Parameter] = &[Parameter::Text, Parameter::Text, Parameter::Int];

/// Largest compiled expression, in bytes.
const COMPILED_BYTES: usize = 256 << 10;

/// Steps that compiling an expression costs, and each byte of it.
const STEPS_TO_COMPILE: (u64, u64) = (2_000, 100);

/// Steps that an expression costs in addition where few bytes may mean much: classes of Unicode, counts, flags.
const STEPS_TO_EXPAND: u64 = 15_000;

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new("regexMatch", TWO, |context, values| {
        let text = text_of(values, 1);
        pay(context, text_of(values, 0), text)?;
        match expression(context, text_of(values, 0)) {
            Ok(expression) => Ok(Value::Bool(expression.is_match(text))),
            Err(Refusal::Syntax(_)) => Ok(Value::Bool(false)),
            Err(Refusal::Limit(fault)) => Err(fault),
        }
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

/// Is why an expression was not compiled.
enum Refusal {
    /// It is no expression of Go's language.
    Syntax(String),
    /// It costs too much.
    Limit(String),
}

impl From<Refusal> for String {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Syntax(fault) | Refusal::Limit(fault) => fault,
        }
    }
}

/// Compiles an expression once for a rendering.
fn expression(context: &mut Context, pattern: &[u8]) -> Result<Regex, Refusal> {
    if let Some(known) = context.expressions.get(pattern) {
        return Ok(known.clone());
    }
    let expands = pattern
        .windows(2)
        .any(|pair| matches!(pair, b"\\p" | b"\\P" | b"(?") || pair[1] == b'{');
    let (base, each) = STEPS_TO_COMPILE;
    let steps = base + each * pattern.len() as u64 + if expands { STEPS_TO_EXPAND } else { 0 };
    context.budget.spend(steps).map_err(Refusal::Limit)?;
    let compiled = compile(pattern)?;
    context.expressions.insert(pattern.into(), compiled.clone());
    Ok(compiled)
}

fn compile(pattern: &[u8]) -> Result<Regex, Refusal> {
    let shown = runes::to_string(pattern);
    let fault = |why: &str| format!("regexp: Compile({shown:?}): error parsing regexp: {why}");
    let source =
        std::str::from_utf8(pattern).map_err(|_| Refusal::Syntax(fault("invalid UTF-8")))?;
    let translated = translate(source).map_err(|why| Refusal::Syntax(fault(&why)))?;
    let mut builder = RegexBuilder::new(&translated);
    let built = builder
        .size_limit(COMPILED_BYTES)
        .dfa_size_limit(COMPILED_BYTES)
        .nest_limit(50)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            Refusal::Limit("the regular expression is too large".into())
        }
        other => Refusal::Syntax(fault(other.to_string().lines().last().unwrap_or_default())),
    })
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
    let places = expression.find_iter(text).map(|place| place.range());
    for place in places
        .filter(|place| !splits_character(text, place))
        .take(most)
    {
        context.budget.spend(1)?;
        found.push(place);
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
    let (expression, text) = prepared(context, values)?;
    let mut replaced = Vec::new();
    let mut from = 0;
    for found in expression.captures_iter(text) {
        let place = found.get_match().range();
        if splits_character(text, &place) {
            continue;
        }
        context.budget.spend(1)?;
        replaced.extend_from_slice(&text[from..place.start]);
        match expands {
            true => found.expand(replacement, &mut replaced),
            false => replaced.extend_from_slice(replacement),
        }
        context.budget.fits(replaced.len())?;
        from = place.end;
    }
    replaced.extend_from_slice(&text[from..]);
    context.text(replaced)
}

/// Says whether a match of nothing lies inside a character, where Go finds none.
fn splits_character(text: &[u8], place: &Range<usize>) -> bool {
    place.is_empty()
        && text
            .get(place.start)
            .is_some_and(|byte| byte & 0xC0 == 0x80)
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

//! Strings: trimming, searching, joining, quoting.
use super::Context;
use super::context::{int_of, text_of};
use super::signature::{Function, Parameter};
use crate::template::print::{quote, to_text};
use crate::template::value::{Value, runes};

const ONE: &[Parameter] = &[Parameter::Text];
const TWO: &[Parameter] = &[Parameter::Text, Parameter::Text];
const COUNTED: &[Parameter] = &[Parameter::Int, Parameter::Text];

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new("trim", ONE, |context, values| {
        let trimmed = trim(text_of(values, 0), char::is_whitespace);
        context.text(trimmed)
    }),
    Function::new("trimAll", TWO, trim_all),
    Function::new("trimall", TWO, trim_all),
    Function::new("trimPrefix", TWO, |context, values| {
        let text = text_of(values, 1);
        context.text(text.strip_prefix(text_of(values, 0)).unwrap_or(text))
    }),
    Function::new("trimSuffix", TWO, |context, values| {
        let text = text_of(values, 1);
        context.text(text.strip_suffix(text_of(values, 0)).unwrap_or(text))
    }),
    Function::new("contains", TWO, |_, values| {
        Ok(Value::Bool(
            find(text_of(values, 1), text_of(values, 0)).is_some(),
        ))
    }),
    Function::new("hasPrefix", TWO, |_, values| {
        Ok(Value::Bool(
            text_of(values, 1).starts_with(text_of(values, 0)),
        ))
    }),
    Function::new("hasSuffix", TWO, |_, values| {
        Ok(Value::Bool(
            text_of(values, 1).ends_with(text_of(values, 0)),
        ))
    }),
    Function::new(
        "replace",
        &[Parameter::Text, Parameter::Text, Parameter::Text],
        |context, values| {
            let replaced = replace(
                context,
                text_of(values, 2),
                text_of(values, 0),
                text_of(values, 1),
            )?;
            context.text(replaced)
        },
    ),
    Function::new("repeat", COUNTED, repeat),
    Function::new("indent", COUNTED, |context, values| {
        indent(context, values, b"")
    }),
    Function::new("nindent", COUNTED, |context, values| {
        indent(context, values, b"\n")
    }),
    Function::new("trunc", COUNTED, |context, values| {
        let text = text_of(values, 1);
        let count = usize::try_from(int_of(values, 0)).map_err(|_| "slice bounds out of range")?;
        context.text(text.get(..count).unwrap_or(text))
    }),
    Function::new(
        "substr",
        &[Parameter::Int, Parameter::Int, Parameter::Text],
        substring,
    ),
    Function::new(
        "plural",
        &[Parameter::Text, Parameter::Text, Parameter::Int],
        |_, values| Ok(values[usize::from(int_of(values, 2) != 1)].clone()),
    ),
    Function::variadic("quote", &[Parameter::Any], |context, values| {
        words(context, values, |context, value| {
            Ok(quote(&to_text(value, &mut context.budget)?).into_bytes())
        })
    }),
    Function::variadic("squote", &[Parameter::Any], |context, values| {
        words(context, values, |context, value| {
            Ok([b"'", &to_text(value, &mut context.budget)?[..], b"'"].concat())
        })
    }),
    Function::variadic("cat", &[Parameter::Any], |context, values| {
        words(context, values, |context, value| {
            to_text(value, &mut context.budget)
        })
    }),
    Function::new("toString", &[Parameter::Any], |context, values| {
        to_text(&values[0], &mut context.budget).map(Value::from)
    }),
];

/// Trims characters from both ends.
fn trim(text: &[u8], trims: impl Fn(char) -> bool) -> &[u8] {
    let start = runes::indexed(text)
        .find(|(_, character, _)| !trims(*character))
        .map_or(text.len(), |(start, ..)| start);
    let mut end = start;
    for (offset, character, width) in runes::indexed(&text[start..]) {
        if !trims(character) {
            end = start + offset + width;
        }
    }
    &text[start..end]
}

fn trim_all(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let set: Vec<char> = runes::of(text_of(values, 0)).collect();
    let text = text_of(values, 1);
    context
        .budget
        .touch(text.len().saturating_mul(set.len()) / 4)?;
    let trimmed = trim(text, |character| set.contains(&character));
    context.text(trimmed)
}

/// Finds a string in another.
pub fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}

/// Replaces every occurrence; an empty one stands before each character and at the end.
pub fn replace(
    context: &mut Context,
    text: &[u8],
    old: &[u8],
    new: &[u8],
) -> Result<Vec<u8>, String> {
    let mut places = Vec::new();
    if old.is_empty() {
        places.extend(runes::indexed(text).map(|(offset, ..)| offset));
        places.push(text.len());
    } else {
        let mut from = 0;
        while let Some(found) = find(&text[from..], old) {
            places.push(from + found);
            from += found + old.len();
        }
    }
    context.budget.fits(
        text.len()
            .saturating_add(places.len().saturating_mul(new.len())),
    )?;
    let mut replaced = Vec::new();
    let mut from = 0;
    for place in places {
        replaced.extend_from_slice(&text[from..place]);
        replaced.extend_from_slice(new);
        from = place + old.len();
    }
    replaced.extend_from_slice(&text[from..]);
    Ok(replaced)
}

fn repeat(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let text = text_of(values, 1);
    let count = usize::try_from(int_of(values, 0)).map_err(|_| "strings: negative Repeat count")?;
    context.budget.fits(text.len().saturating_mul(count))?;
    context.text(if text.is_empty() {
        Vec::new()
    } else {
        text.repeat(count)
    })
}

/// Puts blanks before every line.
fn indent(context: &mut Context, values: &[Value], before: &[u8]) -> Result<Value, String> {
    let count = usize::try_from(int_of(values, 0)).map_err(|_| "strings: negative Repeat count")?;
    context.budget.fits(count)?;
    let pad = b" ".repeat(count);
    let text = replace(
        context,
        text_of(values, 1),
        b"\n",
        &[b"\n", &pad[..]].concat(),
    )?;
    context.text([before, &pad[..], &text[..]].concat())
}

fn substring(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let text = text_of(values, 2);
    let (start, end) = (int_of(values, 0), int_of(values, 1));
    let length = text.len() as i64;
    let range = match (start < 0, end < 0 || end > length) {
        (true, _) => (0, end),
        (false, true) => (start, length),
        (false, false) => (start, end),
    };
    let range = usize::try_from(range.0)
        .ok()
        .zip(usize::try_from(range.1).ok());
    let part = range.and_then(|(start, end)| text.get(start..end));
    let part = part
        .ok_or_else(|| format!("slice bounds out of range [{start}:{end}] with length {length}"))?;
    context.text(part)
}

/// Joins what is made of each value that is not nil, with blanks.
fn words(
    context: &mut Context,
    values: &[Value],
    make: fn(&mut Context, &Value) -> Result<Vec<u8>, String>,
) -> Result<Value, String> {
    let mut joined = Vec::new();
    for (index, value) in values.iter().filter(|value| !value.is_nil()).enumerate() {
        if index > 0 {
            joined.push(b' ');
        }
        joined.extend(make(context, value)?);
        context.budget.fits(joined.len())?;
    }
    context.text(joined)
}

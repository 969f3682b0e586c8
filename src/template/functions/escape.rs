//! Go's escapers: `html`, `js`, `urlquery`.
use super::Context;
use super::signature::{Function, Parameter};
use crate::template::print;
use crate::template::value::classes::is_print;
use crate::template::value::{Value, runes};

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::variadic("html", &[Parameter::Any], |context, values| {
        escape(context, values, html)
    }),
    Function::variadic("js", &[Parameter::Any], |context, values| {
        escape(context, values, javascript)
    }),
    Function::variadic("urlquery", &[Parameter::Any], |context, values| {
        escape(context, values, query)
    }),
];

fn escape(
    context: &mut Context,
    values: &[Value],
    escape: fn(&[u8]) -> Vec<u8>,
) -> Result<Value, String> {
    let shown: Vec<Value> = values
        .iter()
        .map(|value| {
            if value.is_nil() {
                Value::text("<no value>")
            } else {
                value.clone()
            }
        })
        .collect();
    let printed = match shown.as_slice() {
        [Value::Text(text)] => text.to_vec(),
        several => print::sprint(several, &mut context.budget)?,
    };
    context.budget.touch(printed.len() * 6)?;
    context.text(escape(&printed))
}

fn html(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            0 => escaped.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => escaped.extend_from_slice(b"&#34;"),
            b'\'' => escaped.extend_from_slice(b"&#39;"),
            b'&' => escaped.extend_from_slice(b"&amp;"),
            b'<' => escaped.extend_from_slice(b"&lt;"),
            b'>' => escaped.extend_from_slice(b"&gt;"),
            other => escaped.push(*other),
        }
    }
    escaped
}

fn javascript(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for (offset, character, width) in runes::indexed(text) {
        match character {
            '\\' => escaped.extend_from_slice(b"\\\\"),
            '\'' => escaped.extend_from_slice(b"\\'"),
            '"' => escaped.extend_from_slice(b"\\\""),
            '<' | '>' | '&' | '=' | '\0'..='\u{1f}' => {
                escaped.extend_from_slice(format!("\\u{:04X}", u32::from(character)).as_bytes());
            }
            other if other.is_ascii() || is_print(other) => {
                escaped.extend_from_slice(&text[offset..offset + width])
            }
            other => escaped.extend_from_slice(format!("\\u{:04X}", u32::from(other)).as_bytes()),
        }
    }
    escaped
}

fn query(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b' ' => escaped.push(b'+'),
            b'-' | b'_' | b'.' | b'~' => escaped.push(*byte),
            other if other.is_ascii_alphanumeric() => escaped.push(*other),
            other => escaped.extend_from_slice(format!("%{other:02X}").as_bytes()),
        }
    }
    escaped
}

//! Strings made shorter or broken into lines; all of these count bytes, as sprig's do.
use super::Context;
use super::context::{int_of, text_of};
use super::signature::{Function, Parameter};
use crate::template::value::Value;

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new(
        "abbrev",
        &[Parameter::Int, Parameter::Text],
        |context, values| {
            let (width, text) = (int_of(values, 0), text_of(values, 1));
            context.text(if width < 4 {
                text.to_vec()
            } else {
                abbreviate(text, 0, width).unwrap_or_default()
            })
        },
    ),
    Function::new(
        "abbrevboth",
        &[Parameter::Int, Parameter::Int, Parameter::Text],
        |context, values| {
            let (left, right, text) = (int_of(values, 0), int_of(values, 1), text_of(values, 2));
            let keeps = right < 4 || left > 0 && right < 7;
            context.text(if keeps {
                text.to_vec()
            } else {
                abbreviate_both(text, left, right)?
            })
        },
    ),
    Function::new("initials", &[Parameter::Text], |context, values| {
        context.text(initials(text_of(values, 0)))
    }),
    Function::new("nospace", &[Parameter::Text], |context, values| {
        context.text(without_space(text_of(values, 0)))
    }),
    Function::new(
        "wrap",
        &[Parameter::Int, Parameter::Text],
        |context, values| wrap(context, text_of(values, 1), int_of(values, 0), b"\n", false),
    ),
    Function::new(
        "wrapWith",
        &[Parameter::Int, Parameter::Text, Parameter::Text],
        |context, values| {
            let separator = if text_of(values, 1).is_empty() {
                b"\n"
            } else {
                text_of(values, 1)
            };
            wrap(
                context,
                text_of(values, 2),
                int_of(values, 0),
                separator,
                true,
            )
        },
    ),
];

fn abbreviate_both(text: &[u8], left: i64, right: i64) -> Result<Vec<u8>, String> {
    let negative_offset = left < 0
        && text.len() as i64 > right
        && (text.len() as i64).saturating_sub(left) < right - 3;
    if negative_offset {
        return Err("slice bounds out of range".into());
    }
    Ok(abbreviate(text, left, right).unwrap_or_default())
}

/// Cuts text to a width with dots at the end, and at the start too when the cut begins beyond the fourth byte.
fn abbreviate(text: &[u8], offset: i64, width: i64) -> Option<Vec<u8>> {
    let length = text.len() as i64;
    if width < 4 {
        return text.is_empty().then(Vec::new);
    }
    if length <= width {
        return Some(text.to_vec());
    }
    let mut offset = offset.min(length);
    if length - offset < width - 3 {
        offset = length - (width - 3);
    }
    if offset <= 4 {
        return Some([&text[..(width - 3) as usize], b"..."].concat());
    }
    if width < 7 {
        return None;
    }
    if offset + width - 3 < length {
        let rest = abbreviate(&text[offset as usize..], 0, width - 3).unwrap_or_default();
        return Some([b"...", &rest[..]].concat());
    }
    Some([b"...", &text[(length - (width - 3)) as usize..]].concat())
}

/// Reads bytes as Latin-1 characters, as the library does here.
fn is_blank(byte: u8) -> bool {
    char::from(byte).is_whitespace()
}

fn initials(text: &[u8]) -> String {
    let starts =
        |index: &usize| !is_blank(text[*index]) && (*index == 0 || is_blank(text[*index - 1]));
    (0..text.len())
        .filter(starts)
        .map(|index| char::from(text[index]))
        .collect()
}

fn without_space(text: &[u8]) -> Vec<u8> {
    if !text.iter().any(|byte| is_blank(*byte)) {
        return text.to_vec();
    }
    let kept = text
        .iter()
        .filter(|byte| !is_blank(**byte))
        .map(|byte| char::from(*byte));
    kept.collect::<String>().into_bytes()
}

/// Breaks text into lines at blanks; words longer than a line are broken only on demand.
fn wrap(
    context: &mut Context,
    text: &[u8],
    width: i64,
    separator: &[u8],
    breaks_words: bool,
) -> Result<Value, String> {
    let width = usize::try_from(width)
        .unwrap_or(0)
        .clamp(1, text.len().max(1));
    let mut wrapped = Vec::with_capacity(text.len());
    let mut rest = text;
    while rest.len() > width {
        if rest[0] == b' ' {
            rest = &rest[1..];
            continue;
        }
        let blank = rest[..=width].iter().rposition(|byte| *byte == b' ');
        let later = || {
            rest[width..]
                .iter()
                .position(|byte| *byte == b' ')
                .map(|index| width + index)
        };
        let (end, next) = match blank {
            Some(blank) => (blank, blank + 1),
            None if breaks_words => (width, width),
            None => match later() {
                Some(blank) => (blank, blank + 1),
                None => break,
            },
        };
        context.budget.spend(1)?;
        context.budget.fits(wrapped.len() + end + separator.len())?;
        wrapped.extend_from_slice(&rest[..end]);
        wrapped.extend_from_slice(separator);
        rest = &rest[next..];
    }
    wrapped.extend_from_slice(rest);
    context.text(wrapped)
}

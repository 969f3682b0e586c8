//! Strings taken apart: by a separator, into lists of strings, into the words of a name.
use super::Context;
use super::context::{int_of, text_of};
use super::signature::{Function, Parameter};
use super::strings::find;
use super::text_case::connects;
use crate::template::print::to_text;
use crate::template::value::classes::{is_letter, is_number, is_punctuation, is_upper};
use crate::template::value::{ElementKind, List, Map, Text, Value, runes};

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new(
        "split",
        &[Parameter::Text, Parameter::Text],
        |context, values| {
            let parts = split(context, text_of(values, 1), text_of(values, 0), -1)?;
            numbered(context, &parts)
        },
    ),
    Function::new(
        "splitn",
        &[Parameter::Text, Parameter::Int, Parameter::Text],
        |context, values| {
            let parts = split(
                context,
                text_of(values, 2),
                text_of(values, 0),
                int_of(values, 1),
            )?;
            numbered(context, &parts)
        },
    ),
    Function::new(
        "splitList",
        &[Parameter::Text, Parameter::Text],
        |context, values| {
            let parts = split(context, text_of(values, 1), text_of(values, 0), -1)?;
            context.texts(&parts)
        },
    ),
    Function::new(
        "join",
        &[Parameter::Text, Parameter::Any],
        |context, values| {
            let texts = to_texts(context, &values[1])?;
            let separators = text_of(values, 0).len().saturating_mul(texts.len());
            context.budget.fits(
                texts
                    .iter()
                    .map(Vec::len)
                    .sum::<usize>()
                    .saturating_add(separators),
            )?;
            context.text(texts.join(text_of(values, 0)))
        },
    ),
    Function::new("toStrings", &[Parameter::Any], |context, values| {
        let texts = to_texts(context, &values[0])?;
        context.texts(&texts)
    }),
    Function::new("sortAlpha", &[Parameter::Any], |context, values| {
        if values[0].is_nil() {
            return Ok(Value::List(List::of_texts(["<nil>"])));
        }
        let mut texts = to_texts(context, &values[0])?;
        context.budget.spend(texts.len() as u64)?;
        texts.sort();
        context.texts(&texts)
    }),
];

/// Splits at a separator into at most `most` parts, any number if negative; an empty one splits characters.
fn split<'t>(
    context: &mut Context,
    text: &'t [u8],
    separator: &[u8],
    most: i64,
) -> Result<Vec<&'t [u8]>, String> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut rest = text;
    while parts.len() + 1 < most {
        let (length, width) = match separator {
            [] => match runes::first(rest) {
                Some((_, width)) if rest.len() > width => (width, 0),
                _ => break,
            },
            _ => match find(rest, separator) {
                Some(length) => (length, separator.len()),
                None => break,
            },
        };
        context
            .budget
            .fits_elements(parts.len() + 1)
            .and_then(|()| context.budget.spend(1))?;
        parts.push(&rest[..length]);
        rest = &rest[length + width..];
    }
    if most > 0 && !(separator.is_empty() && text.is_empty()) {
        parts.push(rest);
    }
    Ok(parts)
}

/// Makes a map from `_0`, `_1` and so on.
fn numbered(context: &mut Context, parts: &[&[u8]]) -> Result<Value, String> {
    context.budget.allow_elements(parts.len())?;
    let entries = parts.iter().enumerate().map(|(index, part)| {
        (
            Text::from(format!("_{index}").as_bytes()),
            Value::text(part),
        )
    });
    Ok(Value::Map(Map::of(ElementKind::Text, entries.collect())))
}

/// Reads a value as strings: a list's elements without nil, or the value itself.
fn to_texts(context: &mut Context, value: &Value) -> Result<Vec<Vec<u8>>, String> {
    match value {
        Value::Missing | Value::Nil => Ok(Vec::new()),
        Value::List(list) => {
            context.budget.allow_elements(list.elements().len())?;
            let full = list.elements().iter().filter(|element| !element.is_nil());
            full.map(|element| to_text(element, &mut context.budget))
                .collect()
        }
        other => Ok(vec![to_text(other, &mut context.budget)?]),
    }
}

/// Is what a piece of a name is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Digits.
    Number,
    /// Upper case letters, or one of them and the letters after it.
    Upper,
    /// Letters that are not upper case.
    Alphabet,
    /// Blanks, dashes, underscores.
    Connector,
    /// Punctuation.
    Punctuation,
    /// Bytes that are no text.
    Invalid,
    /// Anything else.
    Other,
}

fn word_of(character: char) -> Word {
    match character {
        char::REPLACEMENT_CHARACTER => Word::Invalid,
        joint if connects(joint) => Word::Connector,
        mark if is_punctuation(mark) => Word::Punctuation,
        upper if is_upper(upper) => Word::Upper,
        letter if is_letter(letter) && !is_ideograph(letter) => Word::Alphabet,
        digit if is_number(digit) => Word::Number,
        _ => Word::Other,
    }
}

/// Says whether a letter is one of the Chinese characters that the library tells apart.
fn is_ideograph(letter: char) -> bool {
    matches!(u32::from(letter), 0x3400..=0x4d85 | 0x4e00..=0x9fcc | 0x20000..=0x2b81d)
}

/// Cuts a name into words: `HTTPServer` is `HTTP` and `Server`.
pub fn words(text: &[u8]) -> Vec<(Word, &[u8])> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some((first, _)) = runes::first(rest) {
        let kind = word_of(first);
        let length = match kind {
            Word::Upper => upper_length(rest),
            // Dashes and underscores are punctuation too once it has begun.
            Word::Punctuation => run_length(rest, is_punctuation),
            _ => run_length(rest, |character| word_of(character) == kind),
        };
        words.push((kind, &rest[..length]));
        rest = &rest[length..];
    }
    words
}

fn run_length(text: &[u8], belongs: impl Fn(char) -> bool) -> usize {
    runes::indexed(text)
        .find(|(_, character, _)| !belongs(*character))
        .map_or(text.len(), |(offset, ..)| offset)
}

/// Measures upper case letters; before a lower case one, the last of several belongs to the next word.
fn upper_length(text: &[u8]) -> usize {
    let upper = run_length(text, is_upper);
    let after = runes::first(&text[upper..]).map(|(character, _)| word_of(character));
    let last = runes::indexed(&text[..upper])
        .last()
        .map_or(0, |(offset, ..)| offset);
    match (after, last) {
        (Some(Word::Alphabet), 0) => {
            upper
                + run_length(&text[upper..], |character| {
                    word_of(character) == Word::Alphabet
                })
        }
        (Some(Word::Alphabet), last) => last,
        _ => upper,
    }
}

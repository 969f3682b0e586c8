//! Random strings, drawn from the sequence that belongs to the rendering.
use super::Context;
use super::context::{int_of, text_of};
use super::signature::{Function, Parameter};
use crate::template::value::{Value, runes};

const COUNT: &[Parameter] = &[Parameter::Int];
const LETTERS_AND_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new("randAlphaNum", COUNT, |context, values| {
        draw(context, values, LETTERS_AND_DIGITS)
    }),
    Function::new("randAlpha", COUNT, |context, values| {
        draw(context, values, &LETTERS_AND_DIGITS[..52])
    }),
    Function::new("randNumeric", COUNT, |context, values| {
        draw(context, values, &LETTERS_AND_DIGITS[52..])
    }),
    Function::new("randAscii", COUNT, |context, values| {
        let printable: Vec<u8> = (b' '..=b'~').collect();
        draw(context, values, &printable)
    }),
    Function::new("shuffle", &[Parameter::Text], shuffle),
    Function::new("uuidv4", &[], |context, _| {
        let uuid = uuid::Builder::from_random_bytes(context.sequence.bytes()).into_uuid();
        context.text(uuid.to_string())
    }),
];

/// Draws that many characters; a negative count gives none.
fn draw(context: &mut Context, values: &[Value], characters: &[u8]) -> Result<Value, String> {
    let count = usize::try_from(int_of(values, 0)).unwrap_or(0);
    context.budget.fits(count)?;
    context.budget.spend(count as u64)?;
    let drawn: Vec<u8> = (0..count)
        .map(|_| characters[context.sequence.below(characters.len())])
        .collect();
    context.text(drawn)
}

fn shuffle(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let mut characters: Vec<char> = runes::of(text_of(values, 0)).collect();
    context.budget.spend(characters.len() as u64)?;
    for index in (1..characters.len()).rev() {
        characters.swap(index, context.sequence.below(index + 1));
    }
    context.text(characters.into_iter().collect::<String>())
}

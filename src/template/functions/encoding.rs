//! Base64 and base32; what cannot be decoded gives Go's message as the text, as in sprig.
use super::Context;
use super::context::text_of;
use super::signature::{Function, Parameter};
use crate::template::value::Value;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const ONE: &[Parameter] = &[Parameter::Text];
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new("b64enc", &[Parameter::Any], encode_base64),
    Function::new("b64dec", ONE, |context, values| {
        let decoded = decode_base64(text_of(values, 0));
        context.text(decoded.unwrap_or_else(|place| {
            format!("illegal base64 data at input byte {place}").into_bytes()
        }))
    }),
    Function::new("b32enc", ONE, |context, values| {
        context.text(encode_base32(text_of(values, 0)))
    }),
    Function::new("b32dec", ONE, |context, values| {
        let decoded = decode_base32(text_of(values, 0));
        context.text(decoded.unwrap_or_else(|place| {
            format!("illegal base32 data at input byte {place}").into_bytes()
        }))
    }),
];

/// Encodes a string; nil gives nothing, and any other value its Go type in angle brackets.
fn encode_base64(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let encoded = match &values[0] {
        Value::Missing | Value::Nil => String::new(),
        Value::Text(text) => STANDARD.encode(text),
        other => STANDARD.encode(format!("<{} Value>", other.type_name())),
    };
    context.text(encoded)
}

/// Decodes base64 with line breaks anywhere; an error is the offset of the first byte out of place.
pub fn decode_base64(text: &[u8]) -> Result<Vec<u8>, usize> {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut group = Vec::with_capacity(4);
    let mut places = text.iter().enumerate().filter(|(_, byte)| !is_break(byte));
    while let Some((place, byte)) = places.next() {
        if let Some(value) = BASE64.iter().position(|letter| letter == byte) {
            group.push(value as u32);
            if group.len() == 4 {
                flush(&mut group, &mut bytes);
            }
            continue;
        }
        if *byte != b'=' || group.len() < 2 {
            return Err(place);
        }
        if group.len() == 2 {
            match places.next() {
                None => return Err(text.len()),
                Some((_, b'=')) => {}
                Some((place, _)) => return Err(place - 1),
            }
        }
        flush(&mut group, &mut bytes);
        return match places.next() {
            Some((place, _)) => Err(place),
            None => Ok(bytes),
        };
    }
    if group.is_empty() {
        Ok(bytes)
    } else {
        Err(text.len() - group.len())
    }
}

/// Appends the bytes that a group of two to four sextets holds.
fn flush(group: &mut Vec<u32>, bytes: &mut Vec<u8>) {
    let count = group.len() - 1;
    let bits = (0..4).fold(0, |bits, index| {
        bits << 6 | group.get(index).copied().unwrap_or(0)
    });
    bytes.extend_from_slice(&bits.to_be_bytes()[1..=count]);
    group.clear();
}

fn encode_base32(text: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len().div_ceil(5) * 8);
    for chunk in text.chunks(5) {
        let mut padded = [0; 8];
        padded[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(padded);
        let letters = (chunk.len() * 8).div_ceil(5);
        for index in 0..8 {
            let letter = BASE32[(bits >> (35 - 5 * index) & 31) as usize];
            encoded.push(if index < letters {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    encoded
}

/// Decodes base32 as Go does, which counts the offsets of errors without line breaks.
fn decode_base32(text: &[u8]) -> Result<Vec<u8>, usize> {
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\n' | b'\r'))
        .collect();
    let mut bytes = Vec::with_capacity(text.len() / 8 * 5);
    let mut start = 0;
    while start < text.len() {
        let group = &text[start..text.len().min(start + 8)];
        let letters = group
            .iter()
            .position(|byte| !BASE32.contains(byte))
            .unwrap_or(group.len());
        if letters < group.len() {
            check_padding(&text, start, letters)?;
        } else if group.len() < 8 {
            return Err(start);
        }
        let bits = (0..8).fold(0u64, |bits, index| {
            let letter = group.get(index).filter(|_| index < letters);
            bits << 5
                | letter
                    .and_then(|byte| BASE32.iter().position(|letter| letter == byte))
                    .unwrap_or(0) as u64
        });
        bytes.extend_from_slice(&bits.to_be_bytes()[3..3 + letters * 5 / 8]);
        if letters < 8 {
            break;
        }
        start += 8;
    }
    Ok(bytes)
}

/// Checks what follows the letters of the last group: only padding, and as much as there must be.
fn check_padding(text: &[u8], start: usize, letters: usize) -> Result<(), usize> {
    let place = start + letters;
    let after = &text[place + 1..];
    if text[place] != b'=' || letters < 2 || after.len() >= 8 {
        return Err(place);
    }
    if after.len() + letters < 7 {
        return Err(text.len());
    }
    if let Some(wrong) = after
        .iter()
        .take(7 - letters)
        .position(|byte| *byte != b'=')
    {
        return Err(place + wrong);
    }
    if matches!(letters, 3 | 6) {
        return Err(place);
    }
    Ok(())
}

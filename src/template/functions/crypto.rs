//! Checksums, AES and the derived passwords of sprig.
use super::Context;
use super::context::text_of;
use super::encoding::decode_base64;
use super::password;
use super::signature::{Function, Parameter};
use crate::template::value::Value;
use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256};

const ONE: &[Parameter] = &[Parameter::Text];
const TWO: &[Parameter] = &[Parameter::Text, Parameter::Text];
const BLOCK: usize = 16;

/// Lists the family.
pub const FUNCTIONS: &[Function] = &[
    Function::new("sha1sum", ONE, |context, values| {
        context.budget.touch(text_of(values, 0).len() * 8)?;
        context.text(hexadecimal(&Sha1::digest(text_of(values, 0))))
    }),
    Function::new("sha256sum", ONE, |context, values| {
        context.budget.touch(text_of(values, 0).len() * 8)?;
        context.text(hexadecimal(&Sha256::digest(text_of(values, 0))))
    }),
    Function::new("adler32sum", ONE, |context, values| {
        context.text(adler2::adler32_slice(text_of(values, 0)).to_string())
    }),
    Function::new("encryptAES", TWO, encrypt),
    Function::new("decryptAES", TWO, decrypt),
    Function::new(
        "derivePassword",
        &[
            Parameter::Unsigned32,
            Parameter::Text,
            Parameter::Text,
            Parameter::Text,
            Parameter::Text,
        ],
        password::derive,
    ),
];

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn cipher(password: &[u8]) -> Aes256 {
    let mut key = [0; 32];
    let length = password.len().min(key.len());
    key[..length].copy_from_slice(&password[..length]);
    Aes256::new(&key.into())
}

/// Encrypts in CBC mode under a drawn initial vector, which goes first.
fn encrypt(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let plain = text_of(values, 1);
    if plain.is_empty() {
        return Ok(Value::text(""));
    }
    context.budget.fits(plain.len() * 2)?;
    context.budget.spend(plain.len() as u64)?;
    let cipher = cipher(text_of(values, 0));
    let padding = BLOCK - plain.len() % BLOCK;
    let padded = [plain, &vec![padding as u8; padding]].concat();
    let mut last: [u8; BLOCK] = context.sequence.bytes();
    let mut sealed = last.to_vec();
    for block in padded.chunks_exact(BLOCK) {
        let mut mixed = std::array::from_fn(|index| last[index] ^ block[index]).into();
        cipher.encrypt_block(&mut mixed);
        last = mixed.into();
        sealed.extend_from_slice(&last);
    }
    context.text(STANDARD.encode(sealed))
}

fn decrypt(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let encoded = text_of(values, 1);
    if encoded.is_empty() {
        return Ok(Value::text(""));
    }
    context.budget.spend(encoded.len() as u64)?;
    let sealed = decode_base64(encoded)
        .map_err(|place| format!("illegal base64 data at input byte {place}"))?;
    if sealed.len() <= BLOCK || sealed.len() % BLOCK != 0 {
        return Err("the encrypted text is not a whole number of blocks".into());
    }
    let cipher = cipher(text_of(values, 0));
    let mut plain = Vec::with_capacity(sealed.len());
    for (last, block) in sealed
        .chunks_exact(BLOCK)
        .zip(sealed.chunks_exact(BLOCK).skip(1))
    {
        let mut opened = <[u8; BLOCK]>::try_from(block)
            .map_err(|_| "a block is short")?
            .into();
        cipher.decrypt_block(&mut opened);
        plain.extend(opened.iter().zip(last).map(|(byte, mask)| byte ^ mask));
    }
    let padding = plain.last().copied().map_or(0, usize::from);
    let length = plain
        .len()
        .checked_sub(padding)
        .ok_or("the padding is longer than the text")?;
    plain.truncate(length);
    context.text(plain)
}

//! The Master Password algorithm behind `derivePassword`.
use super::Context;
use super::context::{int_of, text_of};
use crate::template::value::Value;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const SCOPE: &[u8] = b"com.lyndir.masterpassword";

/// How many passwords one rendering may derive: each takes a tenth of a second or more by design.
const MOST_PER_RENDERING: u64 = 2;

/// Lists, for each type of password, the shapes it may have.
const SHAPES: &[(&str, &[&str])] = &[
    ("maximum", &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"]),
    (
        "long",
        &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
    ),
    ("medium", &["CvcnoCvc", "CvcCvcno"]),
    ("short", &["Cvcn"]),
    ("basic", &["aaanaaan", "aannaaan", "aaannaaa"]),
    ("pin", &["nnnn"]),
];

/// Lists the characters that each letter of a shape stands for.
const CHARACTERS: &[(u8, &[u8])] = &[
    (b'V', b"AEIOU"),
    (b'C', b"BCDFGHJKLMNPQRSTVWXYZ"),
    (b'v', b"aeiou"),
    (b'c', b"bcdfghjklmnpqrstvwxyz"),
    (
        b'a',
        b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
    ),
    (b'n', b"0123456789"),
    (b'o', b"@&%?,=[]_:-+*$#!'^~;()/."),
    (
        b'x',
        b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    ),
];

/// Derives a password from a counter, a type, a master password, a user and a site.
pub fn derive(context: &mut Context, values: &[Value]) -> Result<Value, String> {
    let kind = text_of(values, 1);
    let Some((_, shapes)) = SHAPES.iter().find(|(name, _)| name.as_bytes() == kind) else {
        return context.text([b"cannot find password template ", kind].concat());
    };
    context
        .budget
        .spend(context.all_steps / (MOST_PER_RENDERING + 1))?;
    let key = key(text_of(values, 2), text_of(values, 3))?;
    let counter = (int_of(values, 0) as u32).to_be_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| error.to_string())?;
    mac.update(&[SCOPE, &prefixed(text_of(values, 4)), &counter].concat());
    let seed = mac.finalize().into_bytes();
    let shape = shapes[usize::from(seed[0]) % shapes.len()];
    let letters = shape.bytes().zip(&seed[1..]).filter_map(|(letter, byte)| {
        let (_, characters) = CHARACTERS.iter().find(|(name, _)| *name == letter)?;
        Some(characters[usize::from(*byte) % characters.len()])
    });
    context.text(letters.collect::<Vec<_>>())
}

fn key(password: &[u8], user: &[u8]) -> Result<[u8; 64], String> {
    let parameters = scrypt::Params::new(15, 8, 2).map_err(|error| error.to_string())?;
    let mut key = [0; 64];
    let salt = [SCOPE, &prefixed(user)].concat();
    scrypt::scrypt(password, &salt, &parameters, &mut key).map_err(|error| error.to_string())?;
    Ok(key)
}

fn prefixed(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes(), text].concat()
}

//! What a template may call: Go's own functions and sprig's, each with its parameters.
mod comparison;
mod context;
mod core;
mod crypto;
mod date;
mod defaults;
mod dict;
mod encoding;
mod escape;
mod json;
mod list;
mod math;
mod merge;
mod methods;
mod password;
mod path;
mod random;
mod reflect;
mod regex;
mod regex_syntax;
mod sequence;
mod signature;
mod strings;
mod text_case;
mod text_split;
mod text_wrap;
mod url;
mod url_escape;
mod versions;

pub use context::Context;
pub use methods::method;
pub use signature::{Body, Function, Parameter};

use super::error::Fault;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Lists every family; where a name stands twice the later one counts, as sprig's `slice` over Go's.
const FAMILIES: &[&[Function]] = &[
    comparison::FUNCTIONS,
    core::FUNCTIONS,
    crypto::FUNCTIONS,
    date::FUNCTIONS,
    defaults::FUNCTIONS,
    dict::FUNCTIONS,
    encoding::FUNCTIONS,
    escape::FUNCTIONS,
    list::FUNCTIONS,
    math::FUNCTIONS,
    merge::FUNCTIONS,
    path::FUNCTIONS,
    random::FUNCTIONS,
    reflect::FUNCTIONS,
    regex::FUNCTIONS,
    sequence::FUNCTIONS,
    strings::FUNCTIONS,
    text_case::FUNCTIONS,
    text_split::FUNCTIONS,
    text_wrap::FUNCTIONS,
    url::FUNCTIONS,
    versions::FUNCTIONS,
];

const ENVIRONMENT: &str = "a template must not read the environment of the machine that renders it";
const NETWORK: &str = "a template must not use the network";
const KEYS: &str = "a key made while rendering would end in logs and could not be made again";

/// Lists the sprig functions that are refused, with the reason and the way out.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "env",
        ENVIRONMENT,
        "pass the setting in as a value: --set name=value",
    ),
    (
        "expandenv",
        ENVIRONMENT,
        "pass the setting in as a value: --set name=value",
    ),
    (
        "getHostByName",
        NETWORK,
        "pass the address in as a value: --set name=value",
    ),
    (
        "genPrivateKey",
        KEYS,
        "make the key outside and pass it in as a secret",
    ),
    (
        "genCA",
        KEYS,
        "make the certificate outside and pass it in as a secret",
    ),
    (
        "genSelfSignedCert",
        KEYS,
        "make the certificate outside and pass it in as a secret",
    ),
    (
        "genSignedCert",
        KEYS,
        "make the certificate outside and pass it in as a secret",
    ),
    (
        "buildCustomCert",
        KEYS,
        "make the certificate outside and pass it in as a secret",
    ),
];

/// Finds a function by its name, or says why there is none.
pub fn find(name: &str) -> Result<&'static Function, Fault> {
    static BY_NAME: OnceLock<HashMap<&'static str, &'static Function>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| {
        FAMILIES
            .iter()
            .flat_map(|family| family.iter())
            .map(|function| (function.name, function))
            .collect()
    });
    if let Some((_, reason, help)) = REFUSED.iter().find(|(refused, ..)| *refused == name) {
        return Err(Fault {
            message: format!("function {name:?} is refused: {reason}"),
            help: Some((*help).into()),
        });
    }
    by_name.get(name).copied().ok_or_else(|| Fault {
        message: format!("function {name:?} not defined"),
        help: nearest(name, by_name.keys().copied()).map(|near| format!("did you mean {near:?}?")),
    })
}

fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let scored = known.map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate));
    scored
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, candidate)| candidate)
}

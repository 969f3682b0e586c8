//! Promise: a YAML text is accepted, refused and understood as yaml.v2 does it.

use careen::text::{Source, render};
use careen::yaml::{Kind, Node, Pair, Scalar, compose};
use serde_json::Value;
use std::cmp::Ordering;
use std::fmt::Write;

#[test]
fn texts_mean_what_the_go_library_says() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../data/yaml.json")).unwrap();
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let is_accepted = case["ok"].as_bool().unwrap();
        let expected = is_accepted.then(|| case["out"].as_str().unwrap().to_owned());
        assert_eq!(understand(text), expected, "{text:?}");
    }
}

/// Where the two are known to differ: all are texts that nobody writes on purpose.
#[test]
fn known_differences_stay_as_they_are() {
    for (text, ours, go) in [
        // A `?` inside brackets is text here; there it begins a key, even in the middle of a word.
        ("[a?b]", Some("[]interface {}{\"a?b\"}"), None),
        ("[?x]", Some("[]interface {}{\"?x\"}"), Some("a map")),
        // A `:` may begin a text inside brackets.
        ("[:x]", Some("[]interface {}{\":x\"}"), None),
        // Text right behind a closing quotation mark is an error; there it ends the document silently.
        ("\"a\"b", None, Some("\"a\"")),
        // A comment needs a blank before it, also inside brackets.
        ("[#c\n]", None, Some("[]interface {}{}")),
        // Lines with nothing but a tab are an error only there.
        (
            "a:\n  - b\n\t# c\n",
            Some("map[interface {}]interface {}{\"a\":[]interface {}{\"b\"}}"),
            None,
        ),
    ] {
        assert_eq!(understand(text).as_deref(), ours, "{text:?}");
        assert_ne!(ours, go, "{text:?} is no difference");
    }
}

#[test]
fn deep_nesting_ends_in_an_error() {
    for piece in ["[", "{a: ", "- ", "? ", "- - [", "&a [", "!t ["] {
        let (root, findings) = compose(&piece.repeat(10_000));
        assert!(root.is_none() && findings.has_errors(), "{piece:?}");
    }
}

#[test]
fn no_text_makes_the_reader_panic() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../data/yaml.json")).unwrap();
    let texts: Vec<&str> = cases
        .iter()
        .filter_map(|case| case["text"].as_str())
        .collect();
    let mut seed: u64 = 2026;
    let mut random = |below: usize| {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (seed >> 33) as usize % below
    };
    for _ in 0..20_000 {
        let mut text: Vec<char> = texts[random(texts.len())].chars().collect();
        text.extend(
            ['\n'; 1]
                .iter()
                .chain(&texts[random(texts.len())].chars().collect::<Vec<_>>()),
        );
        for _ in 0..1 + random(4) {
            let (at, other) = (random(text.len() + 1), random(text.len()));
            match random(3) {
                0 => drop(text.drain(at.min(other)..at.max(other))),
                1 => text.insert(at, text[other]),
                _ => text.insert(
                    at,
                    [':', '\t', '|', '\u{feff}', '☃', '\r', '&', '*'][random(8)],
                ),
            }
            text.push('\n');
        }
        let text: String = text.into_iter().collect();
        let (root, findings) = compose(&text);
        let source = Source {
            name: "f",
            text: &text,
        };
        render(&source, &findings, false);
        root.iter().for_each(|root| place_all(root, &text));
    }
}

fn place_all(node: &Node, text: &str) {
    assert!(
        node.span.start <= node.span.end && node.span.end <= text.len(),
        "{text:?}"
    );
    let whole = node.source_span(text, node.span);
    assert!(whole.end <= text.len(), "{text:?}");
    match &node.kind {
        Kind::Sequence(items) => items.iter().for_each(|item| place_all(item, text)),
        Kind::Mapping(pairs) => pairs.iter().for_each(|pair| place_all(&pair.value, text)),
        Kind::Scalar { .. } | Kind::Broken => {}
    }
}

/// Reads a text without a known shape and prints it as Go's `%#v`; `None` when it is refused.
pub fn understand(text: &str) -> Option<String> {
    let (root, findings) = compose(text);
    if findings.has_errors() {
        return None;
    }
    match root {
        Some(node) => Some(match go(&node)? {
            printed if printed == NIL => "<nil>".to_owned(),
            printed => printed,
        }),
        None => Some("<nil>".to_owned()),
    }
}

const NIL: &str = "interface {}(nil)";

fn go(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Sequence(items) => {
            let items = items.iter().map(go).collect::<Option<Vec<_>>>()?;
            Some(format!("[]interface {{}}{{{}}}", items.join(", ")))
        }
        Kind::Mapping(pairs) => go_map(pairs),
        Kind::Scalar { .. } => Some(go_scalar(&node.resolve()?.ok()?)),
        Kind::Broken => None,
    }
}

fn go_scalar(scalar: &Scalar<'_>) -> String {
    match scalar {
        Scalar::Null => NIL.to_owned(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Unsigned(value) => format!("{value:#x}"),
        Scalar::Float(value) => go_float(*value),
        Scalar::Text(text) => go_quote(text.as_bytes()),
        Scalar::Bytes(bytes) => go_quote(bytes),
    }
}

/// Prints a map with its keys in the order of Go's printer: by type, then by value.
fn go_map(pairs: &[Pair]) -> Option<String> {
    let mut entries: Vec<(Scalar<'_>, String)> = Vec::new();
    for pair in pairs {
        let (key, value) = (pair.key.resolve()?.ok()?, go(&pair.value)?);
        match entries.iter_mut().find(|(known, _)| *known == key) {
            Some(entry) => entry.1 = value,
            None => entries.push((key, value)),
        }
    }
    entries.sort_by(|(a, _), (b, _)| order(a, b));
    let printed = entries
        .iter()
        .map(|(key, value)| format!("{}:{value}", go_scalar(key)));
    Some(format!(
        "map[interface {{}}]interface {{}}{{{}}}",
        printed.collect::<Vec<_>>().join(", ")
    ))
}

fn order(a: &Scalar<'_>, b: &Scalar<'_>) -> Ordering {
    let rank = |scalar: &Scalar<'_>| match scalar {
        Scalar::Null => 0,
        Scalar::Text(_) | Scalar::Bytes(_) => 1,
        Scalar::Unsigned(_) => 2,
        Scalar::Int(_) => 3,
        Scalar::Float(_) => 4,
        Scalar::Bool(_) => 5,
    };
    match (a, b) {
        (Scalar::Int(a), Scalar::Int(b)) => a.cmp(b),
        (Scalar::Unsigned(a), Scalar::Unsigned(b)) => a.cmp(b),
        (Scalar::Bool(a), Scalar::Bool(b)) => a.cmp(b),
        (Scalar::Float(a), Scalar::Float(b)) => b.is_nan().cmp(&a.is_nan()).then(a.total_cmp(b)),
        (Scalar::Text(a), Scalar::Text(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// Prints a float in Go's shortest form: with an exponent below 1e-4 and from 1e21.
fn go_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap();
    let exponent: i32 = exponent.parse().unwrap();
    if value == 0.0 || (-4..21).contains(&exponent) && (exponent < 17 || digits.len() > 18) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn go_quote(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                '\u{7}' => out.push_str("\\a"),
                '\u{8}' => out.push_str("\\b"),
                '\u{b}' => out.push_str("\\v"),
                '\u{c}' => out.push_str("\\f"),
                '\0'..='\u{7f}' if character.is_control() => {
                    write!(out, "\\x{:02x}", character as u32).unwrap()
                }
                '\u{80}'..='\u{a0}'
                | '\u{ad}'
                | '\u{2028}'..='\u{2029}'
                | '\u{e000}'..='\u{f8ff}'
                | '\u{feff}' => {
                    write!(out, "\\u{:04x}", character as u32).unwrap();
                }
                _ => out.push(character),
            }
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}").unwrap();
        }
    }
    out.push('"');
    out
}

//! Values files: a YAML text without a known shape, as JSON data.

use super::{BadTag, Kind, Node, Scalar, codes, compose};
use crate::text::{Diagnostic, Diagnostics};
use serde_json::{Map, Number, Value};

/// Reads a text without a known shape, such as a values file. Keys of the outermost map keep their text (`y` is
/// "y"), as ACR reads them; deeper keys are read as values and printed as Go prints them (`y` is "true").
pub fn read_value(text: &str) -> Result<Value, Diagnostics> {
    let (root, mut findings) = compose(text);
    let value = root.map_or(Value::Null, |root| match root.kind {
        Kind::Mapping(pairs) => {
            let keyed = pairs
                .into_iter()
                .map(|pair| (key_as_written(&pair.key), pair.value));
            let entries = keyed.map(|(key, value)| (key, convert(&value, &mut findings)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        _ => convert(&root, &mut findings),
    });
    if findings.has_errors() {
        Err(findings)
    } else {
        Ok(value)
    }
}

fn key_as_written(key: &Node) -> String {
    key.as_text()
        .map(|text| text.into_owned())
        .unwrap_or_default()
}

fn convert(node: &Node, findings: &mut Diagnostics) -> Value {
    match &node.kind {
        Kind::Broken => Value::Null,
        Kind::Sequence(items) => items.iter().map(|item| convert(item, findings)).collect(),
        Kind::Mapping(pairs) => {
            let entries = pairs.iter().map(|pair| {
                let key = printed(&convert(&pair.key, findings));
                (key, convert(&pair.value, findings))
            });
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Kind::Scalar { .. } => match node.resolve() {
            Some(Ok(scalar)) => scalar_value(scalar),
            Some(Err(BadTag(tag))) => {
                let message = format!("the value is no `{}`, as its tag claims", tag.word());
                findings.push(Diagnostic::error(codes::BAD_TAG, message).at(node.span));
                Value::Null
            }
            None => Value::Null,
        },
    }
}

fn scalar_value(scalar: Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => value.into(),
        Scalar::Int(value) => value.into(),
        Scalar::Unsigned(value) => value.into(),
        Scalar::Float(value) => match Number::from_f64(value) {
            Some(number) => number.into(),
            // JSON has no such numbers; this is how Go prints them.
            None if value.is_nan() => "NaN".into(),
            None if value > 0.0 => "+Inf".into(),
            None => "-Inf".into(),
        },
        Scalar::Text(text) => text.into(),
        Scalar::Bytes(bytes) => String::from_utf8_lossy(&bytes).into(),
    }
}

/// Prints a key as Go's `%v` does.
fn printed(key: &Value) -> String {
    match key {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(value) if number.is_f64() && value.fract() == 0.0 && value.abs() < 1e21 => {
                format!("{value:.0}")
            }
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_keep_their_types_and_nested_maps_work() {
        let text = "name: careen\ny: no\nn: 010\nf: 1.0\nempty:\nlist: [a, 1, ~]\nmap: {yes: {1: x, ~: z, 2.0: f}}\n";
        let expected = json!({
            "name": "careen", "y": false, "n": 8, "f": 1.0, "empty": null,
            "list": ["a", 1, null],
            "map": {"true": {"1": "x", "<nil>": "z", "2": "f"}},
        });
        assert_eq!(read_value(text), Ok(expected));
    }

    #[test]
    fn a_text_need_not_be_a_map() {
        assert_eq!(read_value(""), Ok(Value::Null));
        assert_eq!(read_value("# nothing\n"), Ok(Value::Null));
        assert_eq!(
            read_value("[1, .inf, -.inf, .nan]"),
            Ok(json!([1, "+Inf", "-Inf", "NaN"]))
        );
        assert_eq!(read_value("!!binary aGk="), Ok(json!("hi")));
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        let merged = "base: &b {a: 1, b: 2}\nx: {a: 0, <<: *b, b: 3, b: 4}\n";
        assert_eq!(read_value(merged).unwrap()["x"], json!({"a": 1, "b": 4}));
    }

    #[test]
    fn every_bad_tag_is_found() {
        let findings = read_value("a: !!int x\nb: !!bool 3\n").unwrap_err();
        let starts: Vec<_> = findings.iter().map(|f| f.span.unwrap().start).collect();
        assert_eq!(starts, [9, 21]);
    }
}

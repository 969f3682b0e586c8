//! The first pass over a file: which secrets its templates will need.

use super::positions::Positions;
use super::{moved, prepare};
use crate::spec::SecretRef;
use crate::spec::render::Inputs;
use crate::text::Diagnostics;
use crate::yaml;
use serde_json::Value;
use std::collections::BTreeMap;

/// Lists the secrets that a file declares, found by rendering it once without any.
///
/// What is wrong with an entry is reported when the file is loaded: here it is passed over.
pub fn secrets_needed(text: &str, inputs: &Inputs<'_>) -> Result<Vec<SecretRef>, Diagnostics> {
    let none = BTreeMap::new();
    let inputs = &Inputs {
        secrets: &none,
        ..*inputs
    };
    let prepared = prepare::prepare(text, inputs)?;
    if !prepared.template.contains("secrets") {
        return Ok(Vec::new());
    }
    let rendered = super::render(&prepared, inputs)?;
    let positions = Positions::new(text, &prepared.template, &prepared.edits, &rendered);
    let root =
        yaml::read_value(&rendered.text).map_err(|found| moved(found, &positions, inputs))?;
    let list = root.get("secrets").and_then(Value::as_array);
    Ok(list.into_iter().flatten().filter_map(secret).collect())
}

fn secret(entry: &Value) -> Option<SecretRef> {
    let text = |name: &str| {
        entry
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    Some(SecretRef {
        id: text("id")?.to_owned(),
        keyvault: text("keyvault")?.to_lowercase(),
        client_id: text("clientID").map(str::to_owned),
    })
}

//! Tells whether two images have the same content, whenever they were built.

use serde_json::Value;

/// What a configuration says of how its containers run.
const SETTINGS: [&str; 12] = [
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "Labels",
    "OnBuild",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
];
/// For what machine it is.
const PLATFORM: [&str; 3] = ["architecture", "os", "variant"];

/// Compares the configurations of two images: layers by their diff-ids, and all settings. When and how they were made
/// does not count, and neither does whether what is not set is left out or written as nothing; the steps that made them
/// count where both tell them.
pub fn same_content(one: &Value, other: &Value) -> bool {
    let layers = |it: &Value| it["rootfs"]["diff_ids"].clone();
    // Without layers there is nothing that would tell two images apart.
    layers(one).is_array()
        && layers(one) == layers(other)
        && PLATFORM.iter().all(|it| is_alike(&one[it], &other[it]))
        && (SETTINGS.iter()).all(|it| is_alike(&one["config"][it], &other["config"][it]))
        && is_made_alike(one, other)
}

fn is_alike(one: &Value, other: &Value) -> bool {
    one == other || (is_nothing(one) && is_nothing(other))
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_made_alike(one: &Value, other: &Value) -> bool {
    let steps = |it: &Value| {
        let steps = it["history"].as_array()?;
        let by = steps.iter().map(|step| step["created_by"].clone());
        Some(by.collect::<Vec<Value>>())
    };
    match (steps(one), steps(other)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

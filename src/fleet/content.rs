//! Tells whether two images have the same content, whenever they were built.

use serde_json::Value;

/// What says when, how and by which container an image was made, not what is in it.
const CIRCUMSTANCES: [&str; 6] = [
    "created",
    "container",
    "container_config",
    "docker_version",
    "moby.buildkit.buildinfo.v1",
    "moby.buildkit.cache.v0",
];

/// Compares the configurations of two images: layers by their diff-ids and all settings, times left out.
pub fn same_content(one: &Value, other: &Value) -> bool {
    let layers = |it: &Value| it["rootfs"]["diff_ids"].clone();
    // Without layers there is nothing that would tell two images apart.
    layers(one).is_array() && layers(one) == layers(other) && timeless(one) == timeless(other)
}

fn timeless(config: &Value) -> Value {
    let mut config = config.clone();
    if let Some(fields) = config.as_object_mut() {
        for field in CIRCUMSTANCES {
            fields.shift_remove(field);
        }
    }
    let history = config.get_mut("history").and_then(Value::as_array_mut);
    for entry in history.into_iter().flatten() {
        if let Some(entry) = entry.as_object_mut() {
            entry.shift_remove("created");
        }
    }
    config
}

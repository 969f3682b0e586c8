//! The task that a single command stands for, as `az acr run --cmd` writes it.

use serde_json::{Value, json};

/// Writes one command down as a task.
pub fn command_task(command: &str, timeout_seconds: Option<u64>) -> String {
    let mut step = json!({
        "cmd": command,
        "disableWorkingDirectoryOverride": true,
        "timeout": timeout_seconds,
    });
    // JSON is YAML, but for what is null.
    if let Value::Object(map) = &mut step {
        map.retain(|_, value| !value.is_null());
    }
    format!("version: v1.1.0\nsteps:\n  - {step}\n")
}

//! What tells two versions of a definition apart.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::Definition;

/// A field whose value differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// The field's path, such as `build.target`.
    pub field: String,
    /// Its value before; `null` when it was not set.
    pub before: Value,
    /// Its value after; `null` when it is not set.
    pub after: Value,
}

/// Lists the fields that differ, in the order of the definition.
pub fn diff(before: &Definition, after: &Definition) -> Vec<Change> {
    let value = |it: &Definition| serde_json::to_value(it).unwrap_or_default();
    let mut changes = Vec::new();
    compare("", &value(before), &value(after), &mut changes);
    changes
}

/// Looks into maps; everything else differs as a whole.
fn compare(path: &str, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    if before == after {
        return;
    }
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        changes.push(Change {
            field: path.to_owned(),
            before: before.clone(),
            after: after.clone(),
        });
        return;
    };
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        let field = match path {
            "" => key.clone(),
            path => format!("{path}.{key}"),
        };
        let side = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
        compare(&field, &side(old), &side(new), changes);
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            field,
            before,
            after,
        } = self;
        match (before, after) {
            (Value::Null, after) => write!(f, "+ {field}: {after}"),
            (before, Value::Null) => write!(f, "- {field}: {before}"),
            (before, after) => write!(f, "~ {field}: {before} -> {after}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::diff;
    use crate::tasks::Definition;

    #[test]
    fn only_what_differs_is_listed_by_its_path() {
        let before = Definition::named("nightly");
        let mut after = before.clone();
        assert_eq!(diff(&before, &after), []);
        after.context = Some("/src".to_owned());
        after.timeout_seconds = 60;
        after.values.insert("a".to_owned(), json!({"b": 1}));
        let found: Vec<String> = diff(&before, &after)
            .iter()
            .map(ToString::to_string)
            .collect();
        let want = [
            "~ timeout_seconds: 3600 -> 60",
            "+ context: \"/src\"",
            "+ values: {\"a\":{\"b\":1}}",
        ];
        assert_eq!(found, want);
    }
}

//! Reads fields of JSON by their path.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde_json::Value;

use super::{
    super::{Author, Happening, Push, Reference, fact::is_commit},
    Unreadable,
};

/// More files than this are not told apart; then all may have changed.
const PATHS: usize = 10_000;

/// Reads a text; empty where there is none. Numbers count as texts, for ids are either.
pub fn text(value: &Value, path: &str) -> String {
    match value.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// Reads a text that must be there.
pub fn needed(value: &Value, path: &'static str) -> Result<String, Unreadable> {
    Some(text(value, path))
        .filter(|text| !text.is_empty())
        .ok_or(Unreadable::Field(path))
}

/// Reads a commit; `None` where the one that stands for none is.
pub fn commit(value: &Value, path: &'static str) -> Option<String> {
    Some(text(value, path).to_ascii_lowercase()).filter(|text| is_commit(text))
}

/// Reads a commit that must be there.
pub fn needed_commit(value: &Value, path: &'static str) -> Result<String, Unreadable> {
    commit(value, path).ok_or(Unreadable::Field(path))
}

/// Reads a number that must be there.
pub fn number(value: &Value, path: &'static str) -> Result<u64, Unreadable> {
    let found = value.pointer(path).and_then(Value::as_u64);
    found.ok_or(Unreadable::Field(path))
}

/// Reads a time, as RFC 3339 or in seconds since 1970.
pub fn time(value: &Value, path: &str) -> Option<i64> {
    match value.pointer(path)? {
        Value::Number(seconds) => seconds.as_i64().map(|it| it.saturating_mul(1000)),
        Value::String(text) => {
            let time =
                DateTime::parse_from_rfc3339(&text.replace(" UTC", "Z").replacen(' ', "T", 1));
            time.ok().map(|it| it.timestamp_millis())
        }
        _ => None,
    }
}

/// Reads who did something.
pub fn author(value: &Value, id: &str, name: &str) -> Author {
    Author {
        id: text(value, id),
        name: text(value, name),
    }
}

/// The addresses that are there.
pub fn addresses(value: &Value, paths: &[&str]) -> Vec<String> {
    let found = paths.iter().map(|path| text(value, path));
    found.filter(|it| !it.is_empty()).collect()
}

/// The files that these commits change, if each of them says so and none is left out.
pub fn paths(commits: Option<&Value>, total: Option<u64>) -> Option<Vec<String>> {
    let commits = commits?.as_array().filter(|it| !it.is_empty())?;
    if total.is_some_and(|total| total > commits.len() as u64) {
        return None;
    }
    let mut found = BTreeSet::new();
    for commit in commits {
        for kind in ["added", "modified", "removed"] {
            let files = commit.get(kind)?.as_array()?;
            found.extend(files.iter().filter_map(Value::as_str));
        }
        if found.len() > PATHS {
            return None;
        }
    }
    Some(found.into_iter().map(str::to_owned).collect())
}

/// Makes a push, or a deletion where no commit comes after.
pub fn push(value: &Value, total: Option<u64>) -> Result<Happening, Unreadable> {
    let reference = Reference::of(&needed(value, "/ref")?);
    let before = commit(value, "/before");
    let Some(after) = commit(value, "/after") else {
        return match is_none(&text(value, "/after")) {
            true => Ok(Happening::Deletion(reference)),
            false => Err(Unreadable::Field("/after")),
        };
    };
    let head = ["/head_commit/message", "/commits/0/message"];
    let message = head.map(|path| text(value, path)).into_iter();
    Ok(Happening::Push(Push {
        reference,
        // The commits of a new or rewritten branch do not tell what differs from what was built.
        paths: before
            .as_ref()
            .filter(|_| value.get("forced") != Some(&Value::Bool(true)))
            .and_then(|_| paths(value.get("commits"), total)),
        before,
        commit: after,
        author: Author::default(),
        message: message
            .into_iter()
            .find(|it| !it.is_empty())
            .unwrap_or_default(),
        at: None,
    }))
}

/// Says whether a text is the commit that stands for none.
pub fn is_none(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|byte| byte == b'0')
}

/// Says whether two repositories are known and not the same.
pub fn differ(one: &str, other: &str) -> bool {
    one.is_empty() || other.is_empty() || one != other
}

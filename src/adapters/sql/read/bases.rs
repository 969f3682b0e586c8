//! Base images, how they are watched and what was decided, out of their rows.

use chrono::DateTime;

use super::super::rows::Columns;
use crate::ports::{BaseDecision, BaseRow, StoreError, Watch};

/// Reads how a base is watched.
pub(in crate::adapters::sql) fn watch(row: &impl Columns) -> Result<Watch, StoreError> {
    let rule: Option<String> = row.value("rule")?;
    let unreadable = |error| StoreError::Database(format!("column rule cannot be read: {error}"));
    let looked_at: Option<i64> = row.value("looked_at")?;
    Ok(Watch {
        key: row.value("key")?,
        seen: row.value("seen")?,
        etag: row.value("etag")?,
        rule: rule
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(unreadable)?,
        prompt: row.value("prompt")?,
        next_at: row.moment("next_at")?,
        looked_at: looked_at.and_then(DateTime::from_timestamp_millis),
        failures: row.count("failures")?,
        problem: row.value("problem")?,
    })
}

/// Reads a base that a task stands on.
pub(in crate::adapters::sql) fn base(row: &impl Columns) -> Result<BaseRow, StoreError> {
    Ok(BaseRow {
        task: row.value("task")?,
        key: row.value("key")?,
        is_runtime: row.value("is_runtime")?,
        stood_on: row.value("stood_on")?,
        learned_from: row.value("learned_from")?,
        learned_at: row.moment("learned_at")?,
    })
}

/// Reads what was decided when a base moved.
pub(in crate::adapters::sql) fn decision(row: &impl Columns) -> Result<BaseDecision, StoreError> {
    let due_at: Option<i64> = row.value("due_at")?;
    Ok(BaseDecision {
        number: row.value("number")?,
        task: row.value("task")?,
        key: row.value("key")?,
        from: row.value("previous")?,
        to: row.value("present")?,
        how: row.value("how")?,
        at: row.moment("at")?,
        due_at: due_at.and_then(DateTime::from_timestamp_millis),
        run: row.value("run")?,
        reason: row.value("reason")?,
    })
}

//! What is known of the fleet and its rollouts, out of their rows.

use super::super::rows::Columns;
use crate::ports::{FleetEntry, NumberedEntry, RolloutRow, StoreError};

/// Reads an entry.
pub(in crate::adapters::sql) fn entry(row: &impl Columns) -> Result<NumberedEntry, StoreError> {
    let entry: FleetEntry = serde_json::from_value(row.json("body")?).map_err(unreadable)?;
    Ok(NumberedEntry {
        number: row.value("number")?,
        entry,
    })
}

/// Reads a rollout.
pub(in crate::adapters::sql) fn rollout(row: &impl Columns) -> Result<RolloutRow, StoreError> {
    let rollout: RolloutRow = serde_json::from_value(row.json("body")?).map_err(unreadable)?;
    Ok(RolloutRow {
        version: row.count("version")?,
        ..rollout
    })
}

/// Writes an entry or a rollout as its row holds it.
pub(in crate::adapters::sql) fn body(of: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(of).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Database(format!("an entry of the fleet cannot be read: {error}"))
}

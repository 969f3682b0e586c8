//! Stored tasks and their versions, out of their rows.

use super::super::rows::Columns;
use crate::{
    ports::{StoreError, TaskRow, TaskVersion},
    tasks::Definition,
};

/// Reads a stored task.
pub(in crate::adapters::sql) fn task(row: &impl Columns) -> Result<TaskRow, StoreError> {
    Ok(TaskRow {
        definition: definition(row.json("definition")?)?,
        version: row.count("version")?,
        created_at: row.parsed("created_at")?,
        updated_at: row.parsed("updated_at")?,
        updated_by: row.value("updated_by")?,
        manifest: row.value("manifest")?,
    })
}

/// Reads a version of a task; one without a definition is its deletion.
pub(in crate::adapters::sql) fn version(row: &impl Columns) -> Result<TaskVersion, StoreError> {
    let text: Option<String> = row.value("definition")?;
    Ok(TaskVersion {
        version: row.count("version")?,
        definition: match text {
            Some(_) => Some(definition(row.json("definition")?)?),
            None => None,
        },
        at: row.parsed("changed_at")?,
        by: row.value("changed_by")?,
    })
}

fn definition(value: serde_json::Value) -> Result<Definition, StoreError> {
    serde_json::from_value(value)
        .map_err(|error| StoreError::Database(format!("a stored task cannot be read: {error}")))
}

/// Writes a definition as the rows hold it.
pub(in crate::adapters::sql) fn definition_text(
    definition: &Definition,
) -> Result<String, StoreError> {
    serde_json::to_string(definition)
        .map_err(|error| StoreError::Database(format!("a task cannot be written: {error}")))
}

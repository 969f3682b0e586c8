//! Workers and what runs demand of them, out of their rows.

use std::collections::HashMap;

use serde::de::DeserializeOwned;

use super::super::rows::Columns;
use crate::ports::{Heard, Needs, StoreError, WorkerRow, WorkerState};

/// Reads what a run demands.
pub(in crate::adapters::sql) fn needs(row: &impl Columns) -> Result<Needs, StoreError> {
    told(row, "needs")
}

/// Reads a worker; `runs` holds what each drives.
pub(in crate::adapters::sql) fn worker(
    row: &impl Columns,
    runs: &mut HashMap<String, Vec<String>>,
) -> Result<WorkerRow, StoreError> {
    let name: String = row.value("name")?;
    Ok(WorkerRow {
        facts: told(row, "facts")?,
        state: row.parsed("state")?,
        seen_at: row.moment("seen_at")?,
        silent_seconds: row.count::<i64>("silent")?.max(0).unsigned_abs() / 1000,
        runs: runs.remove(&name).unwrap_or_default(),
    })
}

/// Reads what a worker of this name hears when it says that it is here.
pub(in crate::adapters::sql) fn heard(name: &str, row: &impl Columns) -> Result<Heard, StoreError> {
    let (state, mut workers): (WorkerState, Vec<String>) =
        (row.parsed("state")?, told(row, "others")?);
    if state == WorkerState::Active {
        workers.push(name.to_owned());
    }
    Ok(Heard { state, workers })
}

/// Sorts runs under way by who drives them.
pub(in crate::adapters::sql) fn by_owner(
    rows: &[impl Columns],
) -> Result<HashMap<String, Vec<String>>, StoreError> {
    let mut runs: HashMap<String, Vec<String>> = HashMap::new();
    for row in rows {
        let owner: String = row.value("lease_owner")?;
        runs.entry(owner).or_default().push(row.value("id")?);
    }
    Ok(runs)
}

fn told<T: DeserializeOwned>(row: &impl Columns, column: &str) -> Result<T, StoreError> {
    let value = serde_json::from_value(row.json(column)?);
    value.map_err(|error| StoreError::Database(format!("column {column}: {error}")))
}

//! Timers and what became of their times, out of their rows.

use super::super::rows::Columns;
use crate::ports::{Occurrence, StoreError, Timer};

/// Reads a timer.
pub(in crate::adapters::sql) fn timer(row: &impl Columns) -> Result<Timer, StoreError> {
    Ok(Timer {
        task: row.value("task")?,
        name: row.value("name")?,
        version: row.count("version")?,
        next_at: row.moment("next_at")?,
        due_at: row.moment("due_at")?,
        problem: row.value("problem")?,
    })
}

/// Reads what became of a time at which a timer was due.
pub(in crate::adapters::sql) fn occurrence(row: &impl Columns) -> Result<Occurrence, StoreError> {
    Ok(Occurrence {
        task: row.value("task")?,
        timer: row.value("timer")?,
        at: row.moment("at")?,
        decided_at: row.moment("decided_at")?,
        run: row.value("run")?,
        reason: row.value("reason")?,
    })
}

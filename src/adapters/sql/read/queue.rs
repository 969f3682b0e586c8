//! Places in the queue and the limits that hold runs back, out of their rows.

use super::super::rows::Columns;
use crate::ports::{LimitRow, LimitScope, QueueDepth, StatusCount, StoreError};

/// A run that wants to count towards its limits.
pub(in crate::adapters::sql) struct Waiter<'a> {
    /// The run.
    pub run: &'a str,
    /// The number of its creation.
    pub number: i64,
    /// Its priority.
    pub priority: i32,
}

/// A limit that is set.
pub(in crate::adapters::sql) struct SetLimit {
    /// Its scope, as stored.
    pub scope: String,
    /// How many runs may count towards it.
    pub allowed: u32,
    /// How many do.
    pub used: u32,
}

impl SetLimit {
    /// Says whether no other run may begin.
    pub fn is_full(&self) -> bool {
        self.used >= self.allowed
    }

    /// Reads a row with the columns scope, allowed and used.
    pub fn read(row: &impl Columns) -> Result<SetLimit, StoreError> {
        Ok(SetLimit {
            scope: row.value("scope")?,
            allowed: row.count("allowed")?,
            used: row.count("used")?,
        })
    }
}

/// Reads why a run waits: the limit that is full, in words.
pub(in crate::adapters::sql) fn reason(row: &impl Columns) -> Result<String, StoreError> {
    let limit = SetLimit::read(row)?;
    let scope: LimitScope = row.parsed("scope")?;
    Ok(scope.reason(limit.used, limit.allowed))
}

/// Reads how long the queue of a pool is.
pub(in crate::adapters::sql) fn depth(row: &impl Columns) -> Result<QueueDepth, StoreError> {
    Ok(QueueDepth {
        pool: row.value("pool")?,
        waiting: row.count("waiting")?,
        oldest: row.time("oldest")?,
    })
}

/// Counts unfinished runs by status.
pub(in crate::adapters::sql) const UNFINISHED: &str = "
    SELECT status, count(*) AS runs, count(lease_owner) AS held, min(created_at) AS oldest FROM runs
    WHERE status IN ('queued', 'preparing', 'running') GROUP BY status ORDER BY min(number)";

/// Reads how many runs have a status.
pub(in crate::adapters::sql) fn status_count(
    row: &impl Columns,
) -> Result<StatusCount, StoreError> {
    Ok(StatusCount {
        status: row.parsed("status")?,
        runs: row.count("runs")?,
        held: row.count("held")?,
        oldest: row.parsed("oldest")?,
    })
}

/// Reads a limit.
pub(in crate::adapters::sql) fn limit(row: &impl Columns) -> Result<LimitRow, StoreError> {
    Ok(LimitRow {
        scope: row.value("scope")?,
        allowed: row.count("allowed")?,
        used: row.count("used")?,
        waiting: row.count("waiting")?,
    })
}

//! How values stand in the database, and what its errors mean.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::ports::StoreError;

/// SQLite's code for a full disk.
const SQLITE_FULL: &str = "13";

/// Sorts an error of the database.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|it| it.code());
    if code.as_deref() == Some(SQLITE_FULL) {
        return StoreError::DiskFull;
    }
    StoreError::Database(error.to_string())
}

/// Sorts a value that stands in the database and cannot be read.
pub(super) fn odd(error: impl std::fmt::Display) -> StoreError {
    StoreError::Database(format!("a stored value cannot be read: {error}"))
}

/// A time as it is stored.
pub(super) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// A stored time.
pub(super) fn time(micros: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| odd("a time"))
}

/// A stored time that may be missing.
pub(super) fn maybe_time(micros: Option<i64>) -> Result<Option<DateTime<Utc>>, StoreError> {
    micros.map(time).transpose()
}

/// Stored JSON.
pub(super) fn json(text: &str) -> Result<Value, StoreError> {
    serde_json::from_str(text).map_err(odd)
}

/// A stored count.
pub(super) fn count(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(odd)
}

//! Reads columns into the port's types.

use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use sqlx::{Row, postgres::PgRow};

use crate::ports::StoreError;

/// Writes a time as the rows hold it.
pub(super) fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Reads columns by name.
pub(super) trait Columns {
    /// Reads a text that has a meaning of its own, such as a status or a time.
    fn parsed<T: FromStr<Err: ToString>>(&self, column: &str) -> Result<T, StoreError>;
    /// Reads a time that may be missing.
    fn time(&self, column: &str) -> Result<Option<DateTime<Utc>>, StoreError>;
    /// Reads a time that is kept as milliseconds since 1970.
    fn moment(&self, column: &str) -> Result<DateTime<Utc>, StoreError>;
    /// Reads a JSON text.
    fn json(&self, column: &str) -> Result<Value, StoreError>;
    /// Reads a number that was stored from an unsigned one.
    fn count<T: TryFrom<i64>>(&self, column: &str) -> Result<T, StoreError>;
}

impl Columns for PgRow {
    fn parsed<T: FromStr<Err: ToString>>(&self, column: &str) -> Result<T, StoreError> {
        let text: &str = self.try_get(column)?;
        text.parse()
            .map_err(|error: T::Err| unreadable(column, error))
    }

    fn time(&self, column: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        let text: Option<&str> = self.try_get(column)?;
        text.map(str::parse)
            .transpose()
            .map_err(|error| unreadable(column, error))
    }

    fn moment(&self, column: &str) -> Result<DateTime<Utc>, StoreError> {
        let milliseconds: i64 = self.try_get(column)?;
        let time = DateTime::from_timestamp_millis(milliseconds);
        time.ok_or_else(|| unreadable(column, milliseconds))
    }

    fn json(&self, column: &str) -> Result<Value, StoreError> {
        let text: &str = self.try_get(column)?;
        serde_json::from_str(text).map_err(|error| unreadable(column, error))
    }

    fn count<T: TryFrom<i64>>(&self, column: &str) -> Result<T, StoreError> {
        let number: i64 = self.try_get(column)?;
        T::try_from(number).map_err(|_| unreadable(column, number))
    }
}

fn unreadable(column: &str, what: impl ToString) -> StoreError {
    StoreError::Database(format!("column {column} holds {}", what.to_string()))
}

//! Writes values as rows hold them, and reads columns into the port's types: alike in both databases.

use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use sqlx::{Decode, Postgres, Row, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};

use crate::ports::StoreError;

/// Writes a time as the rows hold it.
pub(super) fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// What a column of either database can hold.
pub(super) trait Held:
    for<'r> Decode<'r, Postgres> + Type<Postgres> + for<'r> Decode<'r, Sqlite> + Type<Sqlite>
{
}

impl<T> Held for T where
    T: for<'r> Decode<'r, Postgres> + Type<Postgres> + for<'r> Decode<'r, Sqlite> + Type<Sqlite>
{
}

/// Reads columns by name.
pub(super) trait Columns {
    /// Reads a value as it is.
    fn value<T: Held>(&self, column: &str) -> Result<T, StoreError>;

    /// Reads a text that has a meaning of its own, such as a status or a time.
    fn parsed<T: FromStr<Err: ToString>>(&self, column: &str) -> Result<T, StoreError> {
        let text: String = self.value(column)?;
        text.parse()
            .map_err(|error: T::Err| unreadable(column, error))
    }

    /// Reads a time that may be missing.
    fn time(&self, column: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        let text: Option<String> = self.value(column)?;
        text.map(|text| text.parse())
            .transpose()
            .map_err(|error| unreadable(column, error))
    }

    /// Reads a time that is kept as milliseconds since 1970.
    fn moment(&self, column: &str) -> Result<DateTime<Utc>, StoreError> {
        let milliseconds: i64 = self.value(column)?;
        let time = DateTime::from_timestamp_millis(milliseconds);
        time.ok_or_else(|| unreadable(column, milliseconds))
    }

    /// Reads a JSON text.
    fn json(&self, column: &str) -> Result<Value, StoreError> {
        let text: String = self.value(column)?;
        serde_json::from_str(&text).map_err(|error| unreadable(column, error))
    }

    /// Reads a number that was stored from an unsigned one.
    fn count<T: TryFrom<i64>>(&self, column: &str) -> Result<T, StoreError> {
        let number: i64 = self.value(column)?;
        T::try_from(number).map_err(|_| unreadable(column, number))
    }
}

impl Columns for PgRow {
    fn value<T: Held>(&self, column: &str) -> Result<T, StoreError> {
        Ok(self.try_get(column)?)
    }
}

impl Columns for SqliteRow {
    fn value<T: Held>(&self, column: &str) -> Result<T, StoreError> {
        Ok(self.try_get(column)?)
    }
}

fn unreadable(column: &str, what: impl ToString) -> StoreError {
    StoreError::Database(format!("column {column} holds {}", what.to_string()))
}

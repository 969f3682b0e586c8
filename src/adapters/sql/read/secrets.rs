//! Sealed secrets, out of their rows.

use super::super::rows::Columns;
use crate::ports::{Sealed, StoreError, StoredSecret};

/// Reads a secret of a run or a task with its name.
pub(in crate::adapters::sql) fn named_secret(
    row: &impl Columns,
) -> Result<(String, Sealed), StoreError> {
    Ok((row.value("name")?, sealed(row)?))
}

/// Reads a stored secret.
pub(in crate::adapters::sql) fn stored_secret(
    row: &impl Columns,
) -> Result<StoredSecret, StoreError> {
    Ok(StoredSecret {
        name: row.value("name")?,
        sealed: sealed(row)?,
        updated_at: row.parsed("updated_at")?,
    })
}

fn sealed(row: &impl Columns) -> Result<Sealed, StoreError> {
    Ok(Sealed {
        key_id: row.value("key_id")?,
        bytes: row.value("sealed")?,
    })
}

//! Deliveries and the sources that send them, out of their rows.

use super::super::rows::Columns;
use crate::ports::{Delivery, HookSource, Rejection, Report, Sealed, StoreError};

/// Reads a delivery with its body.
pub(in crate::adapters::sql) fn whole(row: &impl Columns) -> Result<Delivery, StoreError> {
    delivery(row, row.value("body")?)
}

/// Reads a delivery; the body comes from elsewhere where it is long.
pub(in crate::adapters::sql) fn delivery(
    row: &impl Columns,
    body: Vec<u8>,
) -> Result<Delivery, StoreError> {
    let unreadable = |error: serde_json::Error| StoreError::Database(error.to_string());
    let decision: Option<String> = row.value("decision")?;
    let decision = decision.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Delivery {
        number: row.count("number")?,
        id: row.value("id")?,
        source: row.value("source")?,
        task: row.value("task")?,
        provider: row.parsed("provider")?,
        event: row.value("event")?,
        headers: serde_json::from_value(row.json("headers")?).map_err(unreadable)?,
        body,
        at: row.parsed("received_at")?,
        decision: decision.map_err(unreadable)?,
        replays: row.count("replays")?,
    })
}

/// Reads a source of deliveries.
pub(in crate::adapters::sql) fn hook_source(row: &impl Columns) -> Result<HookSource, StoreError> {
    let sealed = |key: &str, bytes: &str| {
        let key_id: Option<String> = row.value(key)?;
        let bytes: Option<Vec<u8>> = row.value(bytes)?;
        Ok::<_, StoreError>(
            key_id
                .zip(bytes)
                .map(|(key_id, bytes)| Sealed { key_id, bytes }),
        )
    };
    let previous = sealed("previous_key_id", "previous_sealed")?;
    Ok(HookSource {
        name: row.value("name")?,
        provider: row.parsed("provider")?,
        task: row.value("task")?,
        secret: Sealed {
            key_id: row.value("key_id")?,
            bytes: row.value("sealed")?,
        },
        previous: previous.zip(row.time("previous_until")?),
        token: sealed("token_key_id", "token_sealed")?,
        api: row.value("api")?,
        updated_at: row.parsed("updated_at")?,
    })
}

/// Reads what a code host is to be told of a run.
pub(in crate::adapters::sql) fn report(row: &impl Columns) -> Result<Report, StoreError> {
    Ok(Report {
        run: row.value("run")?,
        target: row.json("target")?,
        told: row.value("told")?,
        attempts: row.count("attempts")?,
    })
}

/// Reads a delivery that was refused.
pub(in crate::adapters::sql) fn rejection(row: &impl Columns) -> Result<Rejection, StoreError> {
    Ok(Rejection {
        at: row.parsed("at")?,
        from: row.value("sender")?,
        bytes: row.count("bytes")?,
        reason: row.value("reason")?,
    })
}

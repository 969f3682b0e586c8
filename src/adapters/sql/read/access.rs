//! Tokens, the audit log and answered requests, out of their rows.

use super::super::rows::Columns;
use crate::ports::{Answer, AuditEntry, CredentialScopes, Known, StoreError, TokenRow};

/// Reads a token.
pub(in crate::adapters::sql) fn token(row: &impl Columns) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        id: row.value("id")?,
        name: row.value("name")?,
        role: row.parsed("role")?,
        credentials: scopes(row.value("credentials")?)?,
        created_at: row.parsed("created_at")?,
        expires_at: row.time("expires_at")?,
        last_used_at: row.time("last_used_at")?,
        revoked_at: row.time("revoked_at")?,
    })
}

fn scopes(text: Option<String>) -> Result<Option<CredentialScopes>, StoreError> {
    let scopes = text.map(|text| serde_json::from_str(&text)).transpose();
    scopes.map_err(|error| StoreError::Database(format!("the scopes of a token: {error}")))
}

/// Reads an entry of the audit log.
pub(in crate::adapters::sql) fn entry(row: &impl Columns) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        number: row.count("number")?,
        at: row.parsed("at")?,
        who: row.value("who")?,
        action: row.value("action")?,
        status: row.count("status")?,
        address: row.value("address")?,
    })
}

/// Reads what is known of a request that was made before with the same key.
pub(in crate::adapters::sql) fn known(
    row: &impl Columns,
    fingerprint: &str,
) -> Result<Known, StoreError> {
    let (same, status, body): (String, Option<i64>, Option<String>) = (
        row.value("fingerprint")?,
        row.value("status")?,
        row.value("body")?,
    );
    Ok(match (same == fingerprint, status) {
        (false, _) => Known::Another,
        (true, None) => Known::UnderWay,
        (true, Some(_)) => Known::Answered(Answer {
            status: row.count("status")?,
            body: body.unwrap_or_default(),
        }),
    })
}

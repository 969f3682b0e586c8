//! Wishes to cancel: a run that waits ends at once, the holder of any other is told.

use chrono::Utc;
use sqlx::{Row, SqliteConnection};

use super::{
    super::{
        SqliteStore,
        rows::{Columns, time_text},
    },
    slots,
};
use crate::{
    engine::{Event, RunStatus},
    ports::{CancelRequest, Cancellation, StoreError},
};

/// Cancels a run, whatever it is doing.
pub(super) async fn cancel(
    store: &SqliteStore,
    run: &str,
    reason: &str,
) -> Result<Cancellation, StoreError> {
    let mut transaction = store.begin().await?;
    let cancellation = cancel_in(&mut transaction, run, reason).await?;
    transaction.commit().await?;
    Ok(cancellation)
}

/// Does so within a transaction.
pub(super) async fn cancel_in(
    connection: &mut SqliteConnection,
    run: &str,
    reason: &str,
) -> Result<Cancellation, StoreError> {
    let row = sqlx::query("SELECT status, queue_state FROM runs WHERE id = ?1")
        .bind(run)
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(|| StoreError::NoSuchRun(run.to_owned()))?;
    let status: RunStatus = row.parsed("status")?;
    let waits: Option<String> = row.try_get("queue_state")?;
    if status.is_ended() {
        return Ok(Cancellation::TooLate(status));
    }
    if waits.is_some() {
        end_waiting(connection, run, reason).await?;
        return Ok(Cancellation::Ended);
    }
    // The first reason stays: it is the one that is acted upon.
    sqlx::query("UPDATE runs SET cancel_reason = coalesce(cancel_reason, ?2) WHERE id = ?1")
        .bind(run)
        .bind(reason)
        .execute(connection)
        .await?;
    Ok(Cancellation::Requested)
}

/// Ends a run that waits: no worker has it, so nothing else is to be done.
pub(super) async fn end_waiting(
    connection: &mut SqliteConnection,
    run: &str,
    reason: &str,
) -> Result<(), StoreError> {
    let now = time_text(Utc::now());
    let event = Event::CancelRequested {
        reason: reason.to_owned(),
    };
    sqlx::query(
        "UPDATE runs SET status = 'canceled', reason = ?2, cancel_reason = ?2, ended_at = ?3,
                queue_state = NULL, lease_token = lease_token + 1, last_event = 1
         WHERE id = ?1",
    )
    .bind(run)
    .bind(reason)
    .bind(&now)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO events (run, generation, seq, at, kind, body)
         SELECT id, generation, 1, ?2, ?3, ?4 FROM runs WHERE id = ?1",
    )
    .bind(run)
    .bind(now)
    .bind(event.kind())
    .bind(serde_json::to_string(&event).unwrap_or_default())
    .execute(&mut *connection)
    .await?;
    slots::forget_waits(connection, run).await
}

/// Lists the wishes that this holder has to heed.
pub(super) async fn requests(
    store: &SqliteStore,
    owner: &str,
) -> Result<Vec<CancelRequest>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, cancel_reason FROM runs WHERE lease_owner = ?1 AND cancel_reason IS NOT NULL
            AND status IN ('queued', 'preparing', 'running')",
    )
    .bind(owner)
    .fetch_all(&store.readers)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(CancelRequest {
                run: row.try_get("id")?,
                reason: row.try_get("cancel_reason")?,
            })
        })
        .collect()
}

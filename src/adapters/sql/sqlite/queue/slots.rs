//! Limits at work: which runs count towards them, which they hold back, and who goes next.

use sqlx::{Row, SqliteConnection};

use super::super::read::queue::SetLimit;
pub(in super::super) use super::super::read::queue::Waiter;
use super::super::steps::json_rows;
use crate::ports::{LimitScope, StoreError};

/// Lets the run wait at once when one of its limits is full, so that claims need not pass by it.
pub(super) async fn hold_back_if_full(
    connection: &mut SqliteConnection,
    waiter: &Waiter<'_>,
    scopes: &[LimitScope],
) -> Result<(), StoreError> {
    let limits = set_limits(connection, scopes).await?;
    if limits.iter().any(SetLimit::is_full) {
        hold_back(connection, waiter, &limits).await?;
    }
    Ok(())
}

/// Counts the run towards its limits, unless one of them is full: then it waits, and what it could have used goes to
/// the next in line. Returns how many limits it counts towards.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    waiter: &Waiter<'_>,
    scopes: &[LimitScope],
) -> Result<Option<u32>, StoreError> {
    let limits = set_limits(connection, scopes).await?;
    if limits.iter().any(SetLimit::is_full) {
        hold_back(connection, waiter, &limits).await?;
        for limit in limits.iter().filter(|limit| !limit.is_full()) {
            wake_next(connection, &limit.scope).await?;
        }
        return Ok(None);
    }
    for limit in &limits {
        sqlx::query("INSERT INTO slots (scope, run) VALUES (?1, ?2)")
            .bind(&limit.scope)
            .bind(waiter.run)
            .execute(&mut *connection)
            .await?;
    }
    Ok(Some(limits.len() as u32))
}

/// Takes a run that has ended, or waits again, off its limits, and lets the next ones go.
pub(in super::super) async fn free(
    connection: &mut SqliteConnection,
    run: &str,
) -> Result<(), StoreError> {
    let freed = sqlx::query("DELETE FROM slots WHERE run = ?1 RETURNING scope")
        .bind(run)
        .fetch_all(&mut *connection)
        .await?;
    for row in &freed {
        wake_next(connection, row.try_get("scope")?).await?;
    }
    Ok(())
}

/// Lets the first run that a limit holds back be claimed; the claim looks at all its limits again.
pub(super) async fn wake_next(
    connection: &mut SqliteConnection,
    scope: &str,
) -> Result<(), StoreError> {
    let woken = sqlx::query(
        "UPDATE runs SET queue_state = 'ready'
         WHERE id = (SELECT run FROM waits WHERE scope = ?1 ORDER BY rank, number LIMIT 1)
         RETURNING id",
    )
    .bind(scope)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(row) = woken {
        forget_waits(connection, row.try_get("id")?).await?;
    }
    Ok(())
}

/// Forgets what a run waited for.
pub(super) async fn forget_waits(
    connection: &mut SqliteConnection,
    run: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM waits WHERE run = ?1")
        .bind(run)
        .execute(connection)
        .await?;
    Ok(())
}

async fn hold_back(
    connection: &mut SqliteConnection,
    waiter: &Waiter<'_>,
    limits: &[SetLimit],
) -> Result<(), StoreError> {
    sqlx::query("UPDATE runs SET queue_state = 'waiting' WHERE number = ?1")
        .bind(waiter.number)
        .execute(&mut *connection)
        .await?;
    for limit in limits.iter().filter(|limit| limit.is_full()) {
        sqlx::query("INSERT INTO waits (scope, rank, number, run) VALUES (?1, ?2, ?3, ?4)")
            .bind(&limit.scope)
            .bind(-i64::from(waiter.priority))
            .bind(waiter.number)
            .bind(waiter.run)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Those of the scopes that have a limit.
async fn set_limits(
    connection: &mut SqliteConnection,
    scopes: &[LimitScope],
) -> Result<Vec<SetLimit>, StoreError> {
    let names: Vec<String> = scopes.iter().map(LimitScope::to_string).collect();
    let rows = sqlx::query(
        "SELECT scope, allowed, (SELECT count(*) FROM slots WHERE slots.scope = limits.scope) AS used
         FROM limits WHERE scope IN (SELECT value FROM json_each(?1))",
    )
    .bind(json_rows(&names)?)
    .fetch_all(connection)
    .await?;
    rows.iter().map(SetLimit::read).collect()
}

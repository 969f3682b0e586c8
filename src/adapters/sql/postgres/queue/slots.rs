//! Limits at work: which runs count towards them, which they hold back, and who goes next.

use sqlx::{PgConnection, Row};

use super::super::read::queue::SetLimit;
pub(in super::super) use super::super::read::queue::Waiter;
use crate::ports::{LimitScope, StoreError};

/// Lets the run wait at once when one of its limits is full, so that claims need not pass by it.
pub(super) async fn hold_back_if_full(
    connection: &mut PgConnection,
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
    connection: &mut PgConnection,
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
        sqlx::query("INSERT INTO slots (scope, run) VALUES ($1, $2)")
            .bind(&limit.scope)
            .bind(waiter.run)
            .execute(&mut *connection)
            .await?;
    }
    Ok(Some(limits.len() as u32))
}

/// Takes a run that has ended, or waits again, off its limits, and lets the next ones go.
pub(in super::super) async fn free(
    connection: &mut PgConnection,
    run: &str,
) -> Result<(), StoreError> {
    // Whoever counts a limit's slots holds its row: a run that finds it full is seen here as waiting.
    sqlx::query(
        "SELECT scope FROM limits WHERE scope IN (SELECT scope FROM slots WHERE run = $1)
         ORDER BY scope FOR UPDATE",
    )
    .bind(run)
    .execute(&mut *connection)
    .await?;
    let freed = sqlx::query("DELETE FROM slots WHERE run = $1 RETURNING scope")
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
    connection: &mut PgConnection,
    scope: &str,
) -> Result<(), StoreError> {
    loop {
        let first = sqlx::query(
            "DELETE FROM waits WHERE (scope, rank, number) =
                (SELECT scope, rank, number FROM waits WHERE scope = $1 ORDER BY rank, number LIMIT 1)
             RETURNING run",
        )
        .bind(scope)
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = first else {
            return Ok(());
        };
        let run: &str = row.try_get("run")?;
        // One that was canceled just now does not wait any more; then the next one goes.
        let woken = sqlx::query(
            "UPDATE runs SET queue_state = 'ready' WHERE id = $1 AND queue_state = 'waiting'",
        )
        .bind(run)
        .execute(&mut *connection)
        .await?;
        forget_waits(connection, run).await?;
        if woken.rows_affected() > 0 {
            return Ok(());
        }
    }
}

/// Forgets what a run waited for.
pub(super) async fn forget_waits(
    connection: &mut PgConnection,
    run: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM waits WHERE run = $1")
        .bind(run)
        .execute(connection)
        .await?;
    Ok(())
}

async fn hold_back(
    connection: &mut PgConnection,
    waiter: &Waiter<'_>,
    limits: &[SetLimit],
) -> Result<(), StoreError> {
    sqlx::query("UPDATE runs SET queue_state = 'waiting' WHERE number = $1")
        .bind(waiter.number)
        .execute(&mut *connection)
        .await?;
    for limit in limits.iter().filter(|limit| limit.is_full()) {
        sqlx::query("INSERT INTO waits (scope, rank, number, run) VALUES ($1, $2, $3, $4)")
            .bind(&limit.scope)
            .bind(-i64::from(waiter.priority))
            .bind(waiter.number)
            .bind(waiter.run)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Those of the scopes that have a limit; nobody else counts or frees their slots until the transaction ends.
async fn set_limits(
    connection: &mut PgConnection,
    scopes: &[LimitScope],
) -> Result<Vec<SetLimit>, StoreError> {
    let names: Vec<String> = scopes.iter().map(LimitScope::to_string).collect();
    let locked =
        sqlx::query("SELECT scope FROM limits WHERE scope = ANY($1) ORDER BY scope FOR UPDATE")
            .bind(&names)
            .fetch_all(&mut *connection)
            .await?;
    if locked.is_empty() {
        return Ok(Vec::new());
    }
    // Counted in a statement of its own, which sees what was committed while it waited for the locks.
    let rows = sqlx::query(
        "SELECT scope, allowed, (SELECT count(*) FROM slots WHERE slots.scope = limits.scope) AS used
         FROM limits WHERE scope = ANY($1)",
    )
    .bind(&names)
    .fetch_all(connection)
    .await?;
    rows.iter().map(SetLimit::read).collect()
}

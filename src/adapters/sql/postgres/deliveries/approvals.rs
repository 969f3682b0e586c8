//! Runs that wait until a person approves them.

use sqlx::PgConnection;

use super::super::PostgresStore;
use crate::ports::{NewRun, StoreError};

/// Keeps a queued run from being claimed if a person must approve it first.
pub(in super::super) async fn hold(
    connection: &mut PgConnection,
    run: &NewRun,
) -> Result<bool, StoreError> {
    if !run.trigger.as_ref().is_some_and(|it| it.needs_approval) {
        return Ok(false);
    }
    sqlx::query("UPDATE runs SET queue_state = 'held' WHERE id = $1")
        .bind(&run.id)
        .execute(connection)
        .await?;
    Ok(true)
}

/// Lets a held run go. Limits that are full hold it back when it is claimed.
pub(super) async fn approve(
    store: &PostgresStore,
    run: &str,
    by: &str,
) -> Result<bool, StoreError> {
    let mut transaction = store.pool.begin().await?;
    let freed =
        sqlx::query("UPDATE runs SET queue_state = 'ready' WHERE id = $1 AND queue_state = 'held'")
            .bind(run)
            .execute(&mut *transaction)
            .await?;
    sqlx::query("UPDATE causes SET needs_approval = 0, approved_by = $2 WHERE caused_run = $1 AND needs_approval = 1")
        .bind(run)
        .bind(by)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(freed.rows_affected() == 1)
}

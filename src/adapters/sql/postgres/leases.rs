//! Who may write a run.

use std::time::Duration;

use sqlx::Row;

use super::{PostgresStore, read::runs::lease, renewals::Renewal};
use crate::ports::{Lease, StoreError};

/// Claims the run if its lease has run out by the database's clock, or by force.
pub(super) async fn take(
    store: &PostgresStore,
    run: &str,
    owner: &str,
    time: Duration,
    force: bool,
) -> Result<Lease, StoreError> {
    let taken = sqlx::query(
        "UPDATE runs SET lease_owner = $2, lease_token = lease_token + 1,
                lease_until = now_ms() + $3
         WHERE id = $1 AND ($4 OR lease_until <= now_ms())
         RETURNING generation, lease_token",
    )
    .bind(run)
    .bind(owner)
    .bind(milliseconds(time))
    .bind(force)
    .fetch_optional(&store.pool)
    .await?;
    match taken {
        Some(row) => lease(run, (owner, time), &row),
        None => Err(refusal(store, run).await?),
    }
}

/// Prolongs the lease from now on by the database's clock, in one statement with others that are due.
pub(super) async fn renew(
    store: &PostgresStore,
    lease: &Lease,
    time: Duration,
) -> Result<(), StoreError> {
    match store.renewals.write(Renewal::new(lease, time)).await? {
        true => Ok(()),
        false => renew_alone(store, lease, time).await,
    }
}

/// Waits for whoever is at the run's row, and learns whether the lease is lost.
async fn renew_alone(
    store: &PostgresStore,
    lease: &Lease,
    time: Duration,
) -> Result<(), StoreError> {
    let renewed = sqlx::query(
        "UPDATE runs SET lease_until = now_ms() + $3
         WHERE id = $1 AND lease_token = $2",
    )
    .bind(&lease.run)
    .bind(lease.token.cast_signed())
    .bind(milliseconds(time))
    .execute(&store.pool)
    .await?;
    held(lease, renewed.rows_affected())
}

/// Lets anyone take the run.
pub(super) async fn release(store: &PostgresStore, lease: &Lease) -> Result<(), StoreError> {
    let released = sqlx::query(
        "UPDATE runs SET lease_owner = NULL, lease_token = lease_token + 1, lease_until = 0
         WHERE id = $1 AND lease_token = $2",
    )
    .bind(&lease.run)
    .bind(lease.token.cast_signed())
    .execute(&store.pool)
    .await?;
    held(lease, released.rows_affected())
}

async fn refusal(store: &PostgresStore, run: &str) -> Result<StoreError, StoreError> {
    let row = sqlx::query("SELECT coalesce(lease_owner, 'nobody') FROM runs WHERE id = $1")
        .bind(run)
        .fetch_optional(&store.pool)
        .await?;
    let run = run.to_owned();
    Ok(match row {
        Some(row) => StoreError::Held {
            run,
            owner: row.try_get(0)?,
        },
        None => StoreError::NoSuchRun(run),
    })
}

/// Says whether the lease's row was there.
pub(super) fn held(lease: &Lease, rows: u64) -> Result<(), StoreError> {
    if rows == 0 {
        return Err(StoreError::LeaseLost(lease.run.clone()));
    }
    Ok(())
}

/// A time as rows hold it.
pub(super) fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 2)
}

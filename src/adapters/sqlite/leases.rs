//! Leases: columns of the `runs` table, judged by the database's clock alone.

use std::time::Duration;

use sqlx::{SqliteConnection, SqlitePool};

use super::values::{count, failed};
use crate::ports::{Lease, StoreError};

/// A token as the database holds it.
pub(super) fn token(lease: &Lease) -> i64 {
    i64::try_from(lease.token).unwrap_or(i64::MAX)
}

/// A write that changed no row was one of somebody who has lost the run.
pub(super) fn held(lease: &Lease, rows: u64) -> Result<(), StoreError> {
    if rows == 0 {
        return Err(StoreError::LeaseLost(lease.run.clone()));
    }
    Ok(())
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// Claims a run that is free, or any run with `force`.
pub(super) async fn take(
    pool: &SqlitePool,
    run: &str,
    owner: &str,
    time: Duration,
    force: bool,
) -> Result<Lease, StoreError> {
    let row: Option<(i64, i64)> = sqlx::query_as(
        "update runs set lease_owner = ?, lease_token = lease_token + 1, \
         lease_until = cast(unixepoch('subsec') * 1000000 as integer) + ? \
         where id = ? and ended_at is null \
         and (? or lease_until is null or lease_until < cast(unixepoch('subsec') * 1000000 as integer)) \
         returning generation, lease_token",
    )
    .bind(owner)
    .bind(micros(time))
    .bind(run)
    .bind(force)
    .fetch_optional(pool)
    .await
    .map_err(failed)?;
    match row {
        Some((generation, token)) => Ok(Lease {
            run: run.to_owned(),
            generation: count(generation)?,
            owner: owner.to_owned(),
            token: token.unsigned_abs(),
        }),
        None => Err(refused(pool, run).await?),
    }
}

/// Says why a run could not be claimed.
async fn refused(pool: &SqlitePool, run: &str) -> Result<StoreError, StoreError> {
    let row: Option<(Option<String>, Option<i64>)> =
        sqlx::query_as("select lease_owner, ended_at from runs where id = ?")
            .bind(run)
            .fetch_optional(pool)
            .await
            .map_err(failed)?;
    Ok(match row {
        None => StoreError::NoSuchRun(run.to_owned()),
        Some((_, Some(_))) => StoreError::Held {
            run: run.to_owned(),
            owner: "nobody: it has ended".to_owned(),
        },
        Some((owner, None)) => StoreError::Held {
            run: run.to_owned(),
            owner: owner.unwrap_or_default(),
        },
    })
}

/// Prolongs a lease.
pub(super) async fn renew(
    pool: &SqlitePool,
    lease: &Lease,
    time: Duration,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "update runs set lease_until = cast(unixepoch('subsec') * 1000000 as integer) + ? \
         where id = ? and lease_token = ?",
    )
    .bind(micros(time))
    .bind(&lease.run)
    .bind(token(lease))
    .execute(pool)
    .await
    .map_err(failed)?;
    held(lease, done.rows_affected())
}

/// Gives a lease back; the token stays, so that it can only grow.
pub(super) async fn release(pool: &SqlitePool, lease: &Lease) -> Result<(), StoreError> {
    let done = sqlx::query(
        "update runs set lease_owner = null, lease_until = null where id = ? and lease_token = ?",
    )
    .bind(&lease.run)
    .bind(token(lease))
    .execute(pool)
    .await
    .map_err(failed)?;
    held(lease, done.rows_affected())
}

/// Makes sure that a lease still holds.
pub(super) async fn check(tx: &mut SqliteConnection, lease: &Lease) -> Result<(), StoreError> {
    let rows: i64 = sqlx::query_scalar(
        "select count(*) from runs where id = ? and lease_token = ? and generation = ?",
    )
    .bind(&lease.run)
    .bind(token(lease))
    .bind(lease.generation)
    .fetch_one(tx)
    .await
    .map_err(failed)?;
    held(lease, rows.unsigned_abs())
}

//! Renewals of leases: those of one process that are due together go in one statement.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{PgPool, postgres::PgRow};

use super::{gathering::Write, leases::milliseconds, rows::Columns};
use crate::ports::Lease;

/// The part of a lease that a statement may take; a connection that is dead must not keep those that come later.
const PATIENCE: u32 = 6;
/// It may take so long in any case.
const LEAST: Duration = Duration::from_secs(1);

/// A lease that is to be prolonged.
#[derive(Debug)]
pub(super) struct Renewal {
    run: String,
    token: i64,
    time: Duration,
}

impl Renewal {
    /// Prolongs the lease by this time from when it is written.
    pub fn new(lease: &Lease, time: Duration) -> Renewal {
        Renewal {
            run: lease.run.clone(),
            token: lease.token.cast_signed(),
            time,
        }
    }
}

/// Each run hangs on its own token; a run whose row somebody else is at is left out, so that no run waits for another's.
const RENEW: &str = "
    WITH due AS MATERIALIZED (
        SELECT nth, number AS due_number, time
        FROM UNNEST($1::text[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS asked (run, token, time, nth)
        JOIN runs ON runs.id = asked.run AND runs.lease_token = asked.token FOR NO KEY UPDATE OF runs SKIP LOCKED)
    UPDATE runs SET lease_until = now_ms() + time FROM due WHERE runs.number = due_number RETURNING nth";

#[async_trait]
impl Write for Renewal {
    /// Whether it was renewed: not when the lease is lost, or while somebody else is at the row.
    type Answer = bool;

    fn patience(all: &[Renewal]) -> Duration {
        let shortest = all.iter().map(|it| it.time / PATIENCE).min();
        shortest.unwrap_or_default().max(LEAST)
    }

    async fn write_all(pool: &PgPool, all: &[Renewal]) -> sqlx::Result<Vec<bool>> {
        let runs: Vec<&str> = all.iter().map(|it| it.run.as_str()).collect();
        let tokens: Vec<i64> = all.iter().map(|it| it.token).collect();
        let times: Vec<i64> = all.iter().map(|it| milliseconds(it.time)).collect();
        let rows = sqlx::query(RENEW)
            .bind(runs)
            .bind(tokens)
            .bind(times)
            .fetch_all(pool)
            .await?;
        let place = |row: &PgRow| row.count::<usize>("nth");
        let renewed: Vec<usize> = rows.iter().map(place).collect::<Result<_, _>>()?;
        Ok((1..=all.len()).map(|nth| renewed.contains(&nth)).collect())
    }
}

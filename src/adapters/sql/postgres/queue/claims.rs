//! Who takes which run, and how it changes hands.

use std::time::Duration;

use sqlx::{PgConnection, PgExecutor, Row, postgres::PgRow};

use super::super::read::{runs::lease, workers::needs};
use super::{
    super::{
        PostgresStore,
        leases::{held, milliseconds},
        rows::Columns,
    },
    lanes::{first_of, lanes, nearest_of},
    limits, slots,
    wishes::Wish,
};
use crate::ports::{Claim, Claimed, Lease, LimitScope, Needs, RunStore, StoreError, TakenOver};

/// Runs that limits may set aside in one transaction, so that other writers get their turn.
const SET_ASIDE_AT_ONCE: usize = 100;

/// Takes the first run that fits and that no limit holds back: in one statement where it comes under none at all.
pub(super) async fn claim(
    store: &PostgresStore,
    claim: &Claim,
) -> Result<Option<Claimed>, StoreError> {
    match store.wishes.write(Wish(claim.clone())).await? {
        Some(claimed) => Ok(Some(claimed)),
        None => claim_under_limits(store, claim).await,
    }
}

/// The buckets at home with the worker, as statements read them.
pub(super) fn homes(claim: &Claim) -> Vec<i16> {
    claim.homes.iter().copied().map(i16::from).collect()
}

/// What the worker has left, as statements read it.
pub(super) fn left(claim: &Claim) -> String {
    serde_json::json!(claim.left).to_string()
}

async fn claim_under_limits(
    store: &PostgresStore,
    claim: &Claim,
) -> Result<Option<Claimed>, StoreError> {
    // Mostly nothing waits, and then no transaction is begun.
    if lanes(&store.pool, claim).await?.is_empty() {
        return Ok(None);
    }
    loop {
        let mut transaction = store.pool.begin().await?;
        for _ in 0..SET_ASIDE_AT_ONCE {
            let Some(first) = first_ready(&mut transaction, claim).await? else {
                transaction.commit().await?;
                return Ok(None);
            };
            if let Some(slots) = take_slots(&mut transaction, &first, &claim.pool).await? {
                let number = first.try_get("number")?;
                let (lease, _) = give(&mut transaction, number, claim, Some(slots)).await?;
                transaction.commit().await?;
                return claimed(store, lease).await.map(Some);
            }
        }
        transaction.commit().await?;
    }
}

const LANES: &str = concat!(
    "WITH RECURSIVE ",
    lanes!("NOT EXISTS (SELECT 1 FROM workers WHERE name = $2 AND state = 'draining')"),
    " SELECT lane FROM lanes",
);

async fn lanes(to: impl PgExecutor<'_>, claim: &Claim) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(LANES)
        .bind(&claim.pool)
        .bind(&claim.worker)
        .bind(left(claim))
        .fetch_all(to)
        .await?;
    rows.iter().map(|row| row.value("lane")).collect()
}

/// Locks the first run of the first lane that has one which nobody else is at.
async fn first_ready(
    connection: &mut PgConnection,
    claim: &Claim,
) -> Result<Option<PgRow>, StoreError> {
    for lane in lanes(&mut *connection, claim).await? {
        let query = match claim.homes.is_empty() {
            true => sqlx::query(first_of!("$2")).bind(&claim.pool).bind(lane),
            false => sqlx::query(nearest_of!("$2", "$3"))
                .bind(&claim.pool)
                .bind(lane)
                .bind(homes(claim)),
        };
        let row = query.fetch_optional(&mut *connection).await?;
        if row.is_some() {
            return Ok(row);
        }
    }
    Ok(None)
}

async fn take_slots(
    connection: &mut PgConnection,
    run: &PgRow,
    pool: &str,
) -> Result<Option<u32>, StoreError> {
    let (task, group): (Option<String>, Option<String>) =
        (run.try_get("task")?, run.try_get("concurrency_group")?);
    let mut scopes = vec![LimitScope::Global, LimitScope::Pool(pool.to_owned())];
    scopes.extend(task.map(LimitScope::Task));
    scopes.extend(group.map(LimitScope::Group));
    let waiter = slots::Waiter {
        run: run.try_get("id")?,
        number: run.try_get("number")?,
        priority: run.count("priority")?,
    };
    slots::take(connection, &waiter, &scopes).await
}

async fn claimed(store: &PostgresStore, lease: Lease) -> Result<Claimed, StoreError> {
    let run = store.run(&lease.run).await?;
    Ok(Claimed { lease, run })
}

/// Writes the claim on the run's row; `slots` when it comes out of the queue.
async fn give(
    connection: &mut PgConnection,
    number: i64,
    claim: &Claim,
    slots: Option<u32>,
) -> Result<(Lease, Needs), StoreError> {
    let row = sqlx::query(
        "UPDATE runs SET queue_state = NULL, slots = coalesce($5, slots), lease_owner = $2, lease_engine = $3,
                status = CASE WHEN status = 'queued' THEN 'preparing' ELSE status END, lease_token = lease_token + 1,
                lease_until = now_ms() + $4
         WHERE number = $1 RETURNING id, generation, lease_token, needs",
    )
    .bind(number)
    .bind(&claim.worker)
    .bind(&claim.engine)
    .bind(milliseconds(claim.time))
    .bind(slots.map(i64::from))
    .fetch_one(connection)
    .await?;
    Ok((lease_of(&row, claim)?, needs(&row)?))
}

/// Reads the lease that a claim was given.
pub(super) fn lease_of(row: &PgRow, claim: &Claim) -> Result<Lease, StoreError> {
    let run: String = row.value("id")?;
    lease(&run, (&claim.worker, claim.time), row)
}

/// Takes a run whose lease ran out long enough ago.
pub(super) async fn take_over(
    store: &PostgresStore,
    claim: &Claim,
    grace: Duration,
) -> Result<Option<TakenOver>, StoreError> {
    let mut transaction = store.pool.begin().await?;
    limits::wake_all_free(&mut transaction).await?;
    let found = sqlx::query(
        "SELECT number, lease_engine, on_worker_loss FROM runs
         WHERE pool = $1 AND queue_state IS NULL AND status IN ('queued', 'preparing', 'running')
           AND lease_until + CASE WHEN lease_engine IS NOT DISTINCT FROM $2 THEN $3 ELSE 2 * $3 END <= now_ms()
         ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    .bind(&claim.pool)
    .bind(&claim.engine)
    .bind(milliseconds(grace))
    .fetch_optional(&mut *transaction)
    .await?;
    let taken = match &found {
        Some(row) => Some(taken(&mut transaction, row, claim).await?),
        None => None,
    };
    transaction.commit().await?;
    Ok(taken)
}

/// Takes all runs that an earlier process of this worker holds on this engine.
pub(super) async fn reclaim(
    store: &PostgresStore,
    claim: &Claim,
) -> Result<Vec<TakenOver>, StoreError> {
    let mut transaction = store.pool.begin().await?;
    let found = sqlx::query(
        "SELECT number, lease_engine, on_worker_loss FROM runs
         WHERE pool = $1 AND queue_state IS NULL AND status IN ('queued', 'preparing', 'running')
           AND lease_engine = $2 AND lease_owner = $3 FOR UPDATE",
    )
    .bind(&claim.pool)
    .bind(&claim.engine)
    .bind(&claim.worker)
    .fetch_all(&mut *transaction)
    .await?;
    let mut all = Vec::new();
    for row in &found {
        all.push(taken(&mut transaction, row, claim).await?);
    }
    transaction.commit().await?;
    Ok(all)
}

async fn taken(
    connection: &mut PgConnection,
    row: &PgRow,
    claim: &Claim,
) -> Result<TakenOver, StoreError> {
    let engine: Option<String> = row.try_get("lease_engine")?;
    let (lease, needs) = give(connection, row.try_get("number")?, claim, None).await?;
    Ok(TakenOver {
        lease,
        needs,
        engine: engine.unwrap_or_default(),
        on_worker_loss: row.parsed("on_worker_loss")?,
    })
}

/// Lets another worker on the same engine take the run at once.
pub(super) async fn hand_over(
    store: &PostgresStore,
    lease: &Lease,
    grace: Duration,
) -> Result<(), StoreError> {
    let given = sqlx::query(
        "UPDATE runs SET lease_owner = NULL, lease_token = lease_token + 1,
                lease_until = now_ms() - $3
         WHERE id = $1 AND lease_token = $2",
    )
    .bind(&lease.run)
    .bind(lease.token.cast_signed())
    .bind(milliseconds(grace))
    .execute(&store.pool)
    .await?;
    held(lease, given.rows_affected())
}

/// Lets the run wait again as its next generation.
pub(super) async fn requeue(store: &PostgresStore, lease: &Lease) -> Result<(), StoreError> {
    let mut transaction = store.pool.begin().await?;
    let queued = sqlx::query(
        "UPDATE runs SET generation = generation + 1, status = 'queued', queue_state = 'ready', last_event = 0,
                started_at = NULL, steps = 0, steps_ended = 0, slots = 0,
                lease_owner = NULL, lease_token = lease_token + 1, lease_until = 0
         WHERE id = $1 AND lease_token = $2",
    )
    .bind(&lease.run)
    .bind(lease.token.cast_signed())
    .execute(&mut *transaction)
    .await?;
    held(lease, queued.rows_affected())?;
    slots::free(&mut transaction, &lease.run).await?;
    Ok(transaction.commit().await?)
}

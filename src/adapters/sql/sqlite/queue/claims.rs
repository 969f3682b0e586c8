//! Who takes which run, and how it changes hands.

use std::time::Duration;

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::super::read::{runs::lease, workers::needs};
use super::{
    super::{
        SqliteStore,
        leases::{held, milliseconds},
        rows::Columns,
    },
    limits, slots,
};
use crate::ports::{Claim, Claimed, Lease, LimitScope, Needs, RunStore, StoreError, TakenOver};

/// Runs that limits may set aside in one transaction, so that other writers get their turn.
const SET_ASIDE_AT_ONCE: usize = 100;

/// The first run of the first lane that fits the worker. Lanes are found one after the other by the index, so that it
/// does not matter how many runs wait in each; a worker that is to drain finds none. Of the first few of a lane
/// ([`crate::ports::NEAR`]) one goes before that is at home with the worker, if priorities are equal.
macro_rules! first_fitting {
    () => {
        "WITH RECURSIVE every_lane AS (
            SELECT (SELECT needs FROM runs WHERE pool = ?1 AND queue_state = 'ready'
                AND NOT EXISTS (SELECT 1 FROM workers WHERE name = ?2 AND state = 'draining')
             ORDER BY needs LIMIT 1) AS lane
            UNION ALL
            SELECT (SELECT needs FROM runs WHERE pool = ?1 AND queue_state = 'ready' AND needs > lane
                    ORDER BY needs LIMIT 1) FROM every_lane WHERE lane IS NOT NULL),
         fitting AS (
            SELECT lane FROM every_lane WHERE lane = '{}' OR lane IS NOT NULL
              AND coalesce(lane ->> 'cpu_millis', 0) <= ?3 ->> 'cpu_millis'
              AND coalesce(lane ->> 'memory_bytes', 0) <= ?3 ->> 'memory_bytes'
              AND (lane ->> 'platform' IS NULL
                OR lane ->> 'platform' IN (SELECT value FROM json_each(?3, '$.platforms')))
              AND NOT EXISTS (SELECT 1 FROM json_each(lane, '$.labels') AS wanted WHERE NOT EXISTS (
                SELECT 1 FROM json_each(?3, '$.labels') AS has
                WHERE has.key = wanted.key AND has.value = wanted.value))),
         first AS (
            SELECT runs.* FROM fitting JOIN runs ON number =
                (SELECT number FROM
                    (SELECT number, priority, bucket FROM runs WHERE pool = ?1 AND queue_state = 'ready' AND needs = lane
                     ORDER BY priority DESC, number LIMIT 64)
                 ORDER BY priority DESC, coalesce(bucket IN (SELECT value FROM json_each(?4)), 0) DESC, number LIMIT 1)
            ORDER BY priority DESC, number LIMIT 1)"
    };
}

/// Takes the first run that fits and that no limit holds back: in one statement where it comes under none at all.
pub(super) async fn claim(
    store: &SqliteStore,
    claim: &Claim,
) -> Result<Option<Claimed>, StoreError> {
    match claim_unlimited(store, claim).await? {
        Some(claimed) => Ok(Some(claimed)),
        None => claim_under_limits(store, claim).await,
    }
}

async fn claim_unlimited(
    store: &SqliteStore,
    claim: &Claim,
) -> Result<Option<Claimed>, StoreError> {
    let row = sqlx::query(concat!(
        first_fitting!(),
        " UPDATE runs SET queue_state = NULL, lease_owner = ?2, lease_engine = ?5, status = 'preparing',
                lease_token = lease_token + 1,
                lease_until = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?6
         WHERE number = (SELECT number FROM first)
           AND NOT EXISTS (SELECT 1 FROM limits WHERE scope IN
                ('global', 'pool:' || pool, 'task:' || task, 'group:' || concurrency_group))
         RETURNING id, generation, lease_token",
    ))
    .bind(&claim.pool)
    .bind(&claim.worker)
    .bind(left(claim))
    .bind(homes(claim))
    .bind(&claim.engine)
    .bind(milliseconds(claim.time))
    .fetch_optional(&store.writer)
    .await?;
    match row {
        Some(row) => claimed(store, lease_of(&row, claim)?).await.map(Some),
        None => Ok(None),
    }
}

fn homes(claim: &Claim) -> String {
    serde_json::json!(claim.homes).to_string()
}

fn left(claim: &Claim) -> String {
    serde_json::json!(claim.left).to_string()
}

async fn claim_under_limits(
    store: &SqliteStore,
    claim: &Claim,
) -> Result<Option<Claimed>, StoreError> {
    loop {
        let mut transaction = store.begin().await?;
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

async fn first_ready(
    connection: &mut SqliteConnection,
    claim: &Claim,
) -> Result<Option<SqliteRow>, StoreError> {
    let row = sqlx::query(concat!(
        first_fitting!(),
        " SELECT number, id, priority, task, concurrency_group FROM first",
    ))
    .bind(&claim.pool)
    .bind(&claim.worker)
    .bind(left(claim))
    .bind(homes(claim))
    .fetch_optional(connection)
    .await?;
    Ok(row)
}

async fn take_slots(
    connection: &mut SqliteConnection,
    run: &SqliteRow,
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
        priority: run.try_get("priority")?,
    };
    slots::take(connection, &waiter, &scopes).await
}

async fn claimed(store: &SqliteStore, lease: Lease) -> Result<Claimed, StoreError> {
    let run = store.run(&lease.run).await?;
    Ok(Claimed { lease, run })
}

/// Writes the claim on the run's row; `slots` when it comes out of the queue.
async fn give(
    connection: &mut SqliteConnection,
    number: i64,
    claim: &Claim,
    slots: Option<u32>,
) -> Result<(Lease, Needs), StoreError> {
    let row = sqlx::query(
        "UPDATE runs SET queue_state = NULL, slots = coalesce(?5, slots), lease_owner = ?2, lease_engine = ?3,
                status = iif(status = 'queued', 'preparing', status), lease_token = lease_token + 1,
                lease_until = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?4
         WHERE number = ?1 RETURNING id, generation, lease_token, needs",
    )
    .bind(number)
    .bind(&claim.worker)
    .bind(&claim.engine)
    .bind(milliseconds(claim.time))
    .bind(slots)
    .fetch_one(connection)
    .await?;
    Ok((lease_of(&row, claim)?, needs(&row)?))
}

fn lease_of(row: &SqliteRow, claim: &Claim) -> Result<Lease, StoreError> {
    let run: String = row.value("id")?;
    lease(&run, (&claim.worker, claim.time), row)
}

/// Takes a run whose lease ran out long enough ago.
pub(super) async fn take_over(
    store: &SqliteStore,
    claim: &Claim,
    grace: Duration,
) -> Result<Option<TakenOver>, StoreError> {
    let mut transaction = store.begin().await?;
    limits::wake_all_free(&mut transaction).await?;
    let found = sqlx::query(
        "SELECT number, lease_engine, on_worker_loss FROM runs
         WHERE pool = ?1 AND queue_state IS NULL AND status IN ('queued', 'preparing', 'running')
           AND lease_until + iif(lease_engine IS ?2, ?3, 2 * ?3) <= CAST(unixepoch('subsec') * 1000 AS INTEGER)
         ORDER BY lease_until LIMIT 1",
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
    store: &SqliteStore,
    claim: &Claim,
) -> Result<Vec<TakenOver>, StoreError> {
    let mut transaction = store.begin().await?;
    let found = sqlx::query(
        "SELECT number, lease_engine, on_worker_loss FROM runs
         WHERE pool = ?1 AND queue_state IS NULL AND status IN ('queued', 'preparing', 'running')
           AND lease_engine = ?2 AND lease_owner = ?3",
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
    connection: &mut SqliteConnection,
    row: &SqliteRow,
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
    store: &SqliteStore,
    lease: &Lease,
    grace: Duration,
) -> Result<(), StoreError> {
    let given = sqlx::query(
        "UPDATE runs SET lease_owner = NULL, lease_token = lease_token + 1,
                lease_until = CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?3
         WHERE id = ?1 AND lease_token = ?2",
    )
    .bind(&lease.run)
    .bind(lease.token.cast_signed())
    .bind(milliseconds(grace))
    .execute(&store.writer)
    .await?;
    held(lease, given.rows_affected())
}

/// Lets the run wait again as its next generation.
pub(super) async fn requeue(store: &SqliteStore, lease: &Lease) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    let queued = sqlx::query(
        "UPDATE runs SET generation = generation + 1, status = 'queued', queue_state = 'ready', last_event = 0,
                started_at = NULL, steps = 0, steps_ended = 0, slots = 0,
                lease_owner = NULL, lease_token = lease_token + 1, lease_until = 0
         WHERE id = ?1 AND lease_token = ?2",
    )
    .bind(&lease.run)
    .bind(lease.token.cast_signed())
    .execute(&mut *transaction)
    .await?;
    held(lease, queued.rows_affected())?;
    slots::free(&mut transaction, &lease.run).await?;
    transaction.commit().await
}

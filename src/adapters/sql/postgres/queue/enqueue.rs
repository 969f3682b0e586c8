//! Recording a run that waits for a worker.

use sqlx::{PgConnection, Row};

use super::{
    super::{
        PostgresStore, causes, deliveries,
        new_runs::{RunRows, insert},
    },
    cancels, slots,
};
use crate::ports::{Enqueued, Group, GroupPolicy, LimitScope, NewRun, Placement, StoreError};

/// Records the run and lets it wait, after its concurrency group had its say.
pub(super) async fn enqueue(
    store: &PostgresStore,
    run: &NewRun,
    place: &Placement,
) -> Result<Enqueued, StoreError> {
    if run.trigger.is_some() || place.group.is_some() {
        let mut transaction = store.pool.begin().await?;
        let enqueued = enqueue_in(&mut transaction, run, place).await?;
        transaction.commit().await?;
        return Ok(enqueued);
    }
    let added = store.new_runs.write(RunRows::new(run, Some(place))).await?;
    if added.is_limited {
        heed_limits(store, (run, place), added.number).await?;
    }
    Ok(Enqueued::Waiting {
        superseded: Vec::new(),
    })
}

/// Lets a recorded run wait for a limit that is full. Claims would do so, too, but only when a worker has room.
async fn heed_limits(
    store: &PostgresStore,
    (run, place): (&NewRun, &Placement),
    number: i64,
) -> Result<(), StoreError> {
    let mut transaction = store.pool.begin().await?;
    let waits =
        sqlx::query("SELECT 1 FROM runs WHERE number = $1 AND queue_state = 'ready' FOR UPDATE")
            .bind(number)
            .fetch_optional(&mut *transaction)
            .await?;
    if waits.is_some() {
        let waiter = waiter((run, place), number);
        slots::hold_back_if_full(&mut transaction, &waiter, &LimitScope::of(place)).await?;
    }
    Ok(transaction.commit().await?)
}

fn waiter<'a>((run, place): (&'a NewRun, &Placement), number: i64) -> slots::Waiter<'a> {
    slots::Waiter {
        run: &run.id,
        number,
        priority: place.priority,
    }
}

/// Does the same within the transaction of someone who writes more than the run.
pub(in super::super) async fn enqueue_in(
    connection: &mut PgConnection,
    run: &NewRun,
    place: &Placement,
) -> Result<Enqueued, StoreError> {
    if let Some(run) = causes::take(&mut *connection, run).await? {
        return Ok(Enqueued::Known { run });
    }
    let others = match &place.group {
        Some(group) => unfinished(&mut *connection, group).await?,
        None => Vec::new(),
    };
    let added = insert(&mut *connection, run, Some(place)).await?;
    let policy = place.group.as_ref().map(|group| group.policy);
    let enqueued = match (policy, others.last()) {
        (Some(GroupPolicy::Skip), Some(by)) => {
            let reason = format!("skipped: run {by} of its concurrency group has not ended");
            cancels::end_waiting(&mut *connection, &run.id, &reason).await?;
            Enqueued::Skipped { by: by.clone() }
        }
        (Some(GroupPolicy::CancelSuperseded), Some(_)) => {
            let reason = format!("superseded by run {}", run.id);
            for other in &others {
                cancels::cancel_in(&mut *connection, other, &reason).await?;
            }
            Enqueued::Waiting { superseded: others }
        }
        _ => Enqueued::Waiting {
            superseded: Vec::new(),
        },
    };
    let waits = matches!(enqueued, Enqueued::Waiting { .. });
    if waits && !deliveries::hold(&mut *connection, run).await? {
        let waiter = waiter((run, place), added.number);
        slots::hold_back_if_full(&mut *connection, &waiter, &LimitScope::of(place)).await?;
    }
    Ok(enqueued)
}

/// The runs of a group that have not ended, oldest first; makes sure that the group has its limit of one.
async fn unfinished(
    connection: &mut PgConnection,
    group: &Group,
) -> Result<Vec<String>, StoreError> {
    sqlx::query(
        "INSERT INTO limits (scope, allowed) VALUES ($1, 1) 
         ON CONFLICT (scope) DO UPDATE SET allowed = 1",
    )
    .bind(LimitScope::Group(group.name.clone()).to_string())
    .execute(&mut *connection)
    .await?;
    let rows = sqlx::query(
        "SELECT id FROM runs WHERE concurrency_group = $1
            AND status IN ('queued', 'preparing', 'running') ORDER BY number",
    )
    .bind(&group.name)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?)
}

//! Recording a run that waits for a worker.

use sqlx::{Row, SqliteConnection};

use super::{
    super::{SqliteStore, causes, deliveries, runs},
    cancels, slots,
};
use crate::ports::{Enqueued, Group, GroupPolicy, LimitScope, NewRun, Placement, StoreError};

/// Records the run and lets it wait, after its concurrency group had its say.
pub(super) async fn enqueue(
    store: &SqliteStore,
    run: &NewRun,
    place: &Placement,
) -> Result<Enqueued, StoreError> {
    let mut transaction = store.begin().await?;
    let enqueued = enqueue_in(&mut transaction, run, place).await?;
    transaction.commit().await?;
    Ok(enqueued)
}

/// Does the same within the transaction of someone who writes more than the run.
pub(in super::super) async fn enqueue_in(
    connection: &mut SqliteConnection,
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
    let number = runs::insert(&mut *connection, run, Some(place)).await?;
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
        let waiter = slots::Waiter {
            run: &run.id,
            number,
            priority: place.priority,
        };
        slots::hold_back_if_full(&mut *connection, &waiter, &LimitScope::of(place)).await?;
    }
    Ok(enqueued)
}

/// The runs of a group that have not ended, oldest first; makes sure that the group has its limit of one.
async fn unfinished(
    connection: &mut SqliteConnection,
    group: &Group,
) -> Result<Vec<String>, StoreError> {
    sqlx::query("INSERT INTO limits (scope, allowed) VALUES (?1, 1) ON CONFLICT DO NOTHING")
        .bind(LimitScope::Group(group.name.clone()).to_string())
        .execute(&mut *connection)
        .await?;
    let rows = sqlx::query(
        "SELECT id FROM runs WHERE concurrency_group = ?1
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

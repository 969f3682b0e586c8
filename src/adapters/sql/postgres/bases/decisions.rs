//! What was seen to have moved, and what was decided about it.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row};

use super::super::read::bases::decision;
use super::{super::queue::enqueue_in, PostgresStore};
use crate::ports::{
    BaseDecision, Enqueued, NewDecision, NewRun, Observation, Placement, StoreError,
};

/// Records a move with its decisions, if nobody has seen it before.
pub(super) async fn observe(
    store: &PostgresStore,
    observation: &Observation,
    decisions: &[NewDecision],
) -> Result<bool, StoreError> {
    let mut transaction = store.pool.begin().await?;
    if !see(&mut transaction, observation).await? {
        return Ok(false);
    }
    let recorded = sqlx::query(
        "INSERT INTO observations (key, previous, present, how, at) VALUES ($1, $2, $3, $4, $5)
         RETURNING number",
    )
    .bind(&observation.key)
    .bind(&observation.from)
    .bind(&observation.to)
    .bind(&observation.how)
    .bind(observation.at.timestamp_millis())
    .fetch_one(&mut *transaction)
    .await?;
    let number: i64 = recorded.try_get(0)?;
    for decision in decisions {
        insert(&mut transaction, number, decision).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// Moves what is watched on, if it still has what the observer compared with.
async fn see(connection: &mut PgConnection, observation: &Observation) -> Result<bool, StoreError> {
    let seen = sqlx::query(
        "UPDATE watches SET seen = $3, etag = $4, next_at = $5, looked_at = $6, held_until = 0,
            failures = 0, problem = NULL, prompt = NULL
         WHERE key = $1 AND seen IS NOT DISTINCT FROM $2",
    )
    .bind(&observation.key)
    .bind(&observation.from)
    .bind(&observation.to)
    .bind(&observation.etag)
    .bind(observation.next_at.timestamp_millis())
    .bind(observation.at.timestamp_millis())
    .execute(connection)
    .await?;
    Ok(seen.rows_affected() > 0)
}

async fn insert(
    connection: &mut PgConnection,
    observation: i64,
    decision: &NewDecision,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO base_decisions (observation, task, due_at, reason, is_waiting)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(observation)
    .bind(&decision.task)
    .bind(decision.due_at.map(|it| it.timestamp_millis()))
    .bind(&decision.reason)
    .bind(decision.due_at.is_some())
    .execute(connection)
    .await?;
    Ok(())
}

/// Lists decisions, latest first.
pub(super) async fn list(
    store: &PostgresStore,
    task: Option<&str>,
    limit: u32,
) -> Result<Vec<BaseDecision>, StoreError> {
    let rows = sqlx::query(
        "SELECT base_decisions.*, key, previous, present, how, at FROM base_decisions
            JOIN observations ON observations.number = observation
         WHERE $1::text IS NULL OR task = $1 ORDER BY base_decisions.number DESC LIMIT $2",
    )
    .bind(task)
    .bind(i64::from(limit))
    .fetch_all(&store.pool)
    .await?;
    rows.iter().map(decision).collect()
}

/// Lists all that waits to start runs of tasks for which it is time.
pub(super) async fn due(
    store: &PostgresStore,
    now: DateTime<Utc>,
) -> Result<Vec<BaseDecision>, StoreError> {
    let rows = sqlx::query(
        "SELECT base_decisions.*, key, previous, present, how, at FROM base_decisions
            JOIN observations ON observations.number = observation
         WHERE is_waiting AND task IN
            (SELECT task FROM base_decisions WHERE is_waiting AND due_at <= $1)
         ORDER BY task, base_decisions.number",
    )
    .bind(now.timestamp_millis())
    .fetch_all(&store.pool)
    .await?;
    rows.iter().map(decision).collect()
}

/// Queues the run that these decisions start, if all of them still wait.
pub(super) async fn start(
    store: &PostgresStore,
    decisions: &[i64],
    run: &NewRun,
    place: &Placement,
) -> Result<Option<Enqueued>, StoreError> {
    let mut transaction = store.pool.begin().await?;
    let started = sqlx::query(
        "UPDATE base_decisions SET is_waiting = false, run = $2
         WHERE is_waiting AND number = ANY ($1)",
    )
    .bind(decisions)
    .bind(&run.id)
    .execute(&mut *transaction)
    .await?;
    if started.rows_affected() != decisions.len() as u64 {
        return Ok(None);
    }
    let queued = enqueue_in(&mut transaction, run, place).await?;
    transaction.commit().await?;
    store.bell.queue_changed();
    Ok(Some(queued))
}

/// Takes decisions back that have not started a run.
pub(super) async fn take_back(
    store: &PostgresStore,
    decisions: &[i64],
    reason: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE base_decisions SET is_waiting = false, due_at = NULL, reason = reason || '; ' || $2::text
         WHERE is_waiting AND number = ANY ($1)",
    )
    .bind(decisions)
    .bind(reason)
    .execute(&store.pool)
    .await?;
    Ok(())
}

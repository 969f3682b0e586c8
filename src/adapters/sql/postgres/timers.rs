//! Timers: whoever claims one passes over those that others hold.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::read::timers::{occurrence, timer};
use super::{PostgresStore, errors::again_on_deadlock, firing::fire_all, queue::enqueue_in};
use crate::ports::{Enqueued, Firing, NewTimer, Occurrence, StoreError, Timer, Timers};

#[async_trait]
impl Timers for PostgresStore {
    async fn put_timers(
        &self,
        task: &str,
        version: u32,
        timers: &[NewTimer],
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for timer in timers {
            put(&mut transaction, (task, version), timer).await?;
        }
        let names: Vec<&str> = timers.iter().map(|it| it.name.as_str()).collect();
        sqlx::query(
            "DELETE FROM timers WHERE task = $1 AND version <= $2
                AND name <> ALL ($3)",
        )
        .bind(task)
        .bind(i64::from(version))
        .bind(&names)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    async fn timers(&self, task: Option<&str>) -> Result<Vec<Timer>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM timers WHERE $1::text IS NULL OR task = $1 ORDER BY task, name",
        )
        .bind(task)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(timer).collect()
    }

    async fn claim_timers(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Timer>, StoreError> {
        let rows = sqlx::query(
            "UPDATE timers SET held_until = $2 WHERE (task, name) IN
                (SELECT task, name FROM timers WHERE due_at <= $1 AND held_until <= $1
                 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
             RETURNING *",
        )
        .bind(now.timestamp_millis())
        .bind(held_until.timestamp_millis())
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(timer).collect()
    }

    async fn fire(&self, firings: &[Firing]) -> Result<Vec<Option<Vec<Enqueued>>>, StoreError> {
        let answers = again_on_deadlock(|| fire_all(self, firings)).await?;
        self.bell.queue_changed();
        Ok(answers)
    }

    async fn postpone_timer(
        &self,
        timer: &Timer,
        until: DateTime<Utc>,
        problem: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE timers SET held_until = $4, problem = $5
             WHERE task = $1 AND name = $2 AND next_at = $3",
        )
        .bind(&timer.task)
        .bind(&timer.name)
        .bind(timer.next_at.timestamp_millis())
        .bind(until.timestamp_millis())
        .bind(problem)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn occurrences(&self, task: &str, limit: u32) -> Result<Vec<Occurrence>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM timer_occurrences WHERE task = $1 ORDER BY number DESC LIMIT $2",
        )
        .bind(task)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(occurrence).collect()
    }
}

async fn put(
    connection: &mut PgConnection,
    (task, version): (&str, u32),
    timer: &NewTimer,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO timers (task, name, version, spec, next_at, due_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (task, name) DO UPDATE SET
            next_at = CASE WHEN timers.spec = excluded.spec THEN timers.next_at ELSE excluded.next_at END,
            due_at = CASE WHEN timers.spec = excluded.spec THEN timers.due_at ELSE excluded.due_at END,
            held_until = CASE WHEN timers.spec = excluded.spec THEN timers.held_until ELSE 0 END,
            problem = CASE WHEN timers.spec = excluded.spec THEN timers.problem ELSE NULL END,
            version = excluded.version, spec = excluded.spec
         WHERE timers.version <= excluded.version",
    )
    .bind(task)
    .bind(&timer.name)
    .bind(i64::from(version))
    .bind(&timer.spec)
    .bind(timer.next_at.timestamp_millis())
    .bind(timer.due_at.timestamp_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Fires one timer, whatever may hold its runs back.
pub(super) async fn fire(
    connection: &mut PgConnection,
    firing: &Firing,
) -> Result<Option<Vec<Enqueued>>, StoreError> {
    if !move_on(connection, firing).await? {
        return Ok(None);
    }
    let mut queued = Vec::with_capacity(firing.runs.len());
    for timed in &firing.runs {
        queued.push(enqueue_in(connection, &timed.run, &timed.place).await?);
    }
    for occurrence in firing.occurrences(&queued) {
        record(connection, &occurrence).await?;
    }
    Ok(Some(queued))
}

/// Moves the timer to its next time; says whether it still was where it was claimed.
async fn move_on(connection: &mut PgConnection, firing: &Firing) -> Result<bool, StoreError> {
    let moved = match firing.next {
        Some((next, due)) => sqlx::query(
            "UPDATE timers SET next_at = $4, due_at = $5, held_until = 0, problem = NULL
             WHERE task = $1 AND name = $2 AND next_at = $3",
        )
        .bind(&firing.timer.task)
        .bind(&firing.timer.name)
        .bind(firing.timer.next_at.timestamp_millis())
        .bind(next.timestamp_millis())
        .bind(due.timestamp_millis()),
        None => sqlx::query("DELETE FROM timers WHERE task = $1 AND name = $2 AND next_at = $3")
            .bind(&firing.timer.task)
            .bind(&firing.timer.name)
            .bind(firing.timer.next_at.timestamp_millis()),
    };
    Ok(moved.execute(connection).await?.rows_affected() > 0)
}

async fn record(connection: &mut PgConnection, occurrence: &Occurrence) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO timer_occurrences (task, timer, at, decided_at, run, reason)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&occurrence.task)
    .bind(&occurrence.timer)
    .bind(occurrence.at.timestamp_millis())
    .bind(occurrence.decided_at.timestamp_millis())
    .bind(&occurrence.run)
    .bind(&occurrence.reason)
    .execute(connection)
    .await?;
    Ok(())
}

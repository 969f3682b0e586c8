//! Fires many timers in few statements: what no limit can hold back goes together, the rest one by one.

use std::collections::{HashMap, HashSet};

use sqlx::{PgConnection, Row};

use super::{PostgresStore, rows::time_text, timers};
use crate::{
    engine::RunStatus,
    ports::{Enqueued, Firing, LimitScope, Occurrence, StoreError, TimedRun, Trigger},
};

/// Queues runs and moves their timers on, in one transaction.
pub(super) async fn fire_all(
    store: &PostgresStore,
    firings: &[Firing],
) -> Result<Vec<Option<Vec<Enqueued>>>, StoreError> {
    let mut transaction = store.pool.begin().await?;
    let limited = limited(&mut transaction, firings).await?;
    let together: Vec<&Firing> = firings.iter().filter(|it| is_plain(it, &limited)).collect();
    let mut fired = fire_together(&mut transaction, &together).await?;
    let mut answers = Vec::with_capacity(firings.len());
    for firing in firings {
        answers.push(match is_plain(firing, &limited) {
            true => fired.remove(&key(firing)),
            false => timers::fire(&mut transaction, firing).await?,
        });
    }
    transaction.commit().await?;
    Ok(answers)
}

fn key(firing: &Firing) -> (&str, &str) {
    (&firing.timer.task, &firing.timer.name)
}

fn runs<'a>(firings: &[&'a Firing]) -> impl Iterator<Item = &'a TimedRun> {
    firings.iter().flat_map(|it| &it.runs)
}

/// The limits that are set on any of the runs.
async fn limited(
    connection: &mut PgConnection,
    firings: &[Firing],
) -> Result<HashSet<String>, StoreError> {
    let scopes = firings.iter().flat_map(|it| &it.runs);
    let scopes = scopes.flat_map(|it| LimitScope::of(&it.place));
    let scopes: HashSet<String> = scopes.map(|it| it.to_string()).collect();
    let scopes: Vec<String> = scopes.into_iter().collect();
    let rows = sqlx::query("SELECT scope FROM limits WHERE scope = ANY ($1)")
        .bind(&scopes)
        .fetch_all(connection)
        .await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?)
}

/// Says whether nothing but the rows themselves is to be written for it.
fn is_plain(firing: &Firing, limited: &HashSet<String>) -> bool {
    let is_free = |timed: &TimedRun| {
        let mut scopes = LimitScope::of(&timed.place).into_iter();
        scopes.all(|it| !limited.contains(&it.to_string()))
            && timed.place.group.is_none()
            && timed.run.secrets.is_empty()
            && timed.run.trigger.is_some()
    };
    firing.next.is_some() && firing.runs.iter().all(is_free)
}

/// What became of each timer that still was where it was claimed.
async fn fire_together<'a>(
    connection: &mut PgConnection,
    firings: &[&'a Firing],
) -> Result<HashMap<(&'a str, &'a str), Vec<Enqueued>>, StoreError> {
    let moved = move_on(connection, firings).await?;
    let is_moved = |it: &&&Firing| moved.contains(&(it.timer.task.clone(), it.timer.name.clone()));
    let moved: Vec<&Firing> = firings.iter().filter(is_moved).copied().collect();
    let known = take_causes(connection, &moved).await?;
    let is_new = |it: &&TimedRun| !known.contains_key(&it.run.id);
    let new: Vec<&TimedRun> = runs(&moved).filter(is_new).collect();
    insert_runs(connection, &new).await?;
    let mut fired = HashMap::with_capacity(moved.len());
    let mut occurrences = Vec::with_capacity(moved.len());
    for firing in moved {
        let queued = firing.runs.iter().map(|it| match known.get(&it.run.id) {
            Some(run) => Enqueued::Known { run: run.clone() },
            None => Enqueued::Waiting {
                superseded: Vec::new(),
            },
        });
        let queued: Vec<Enqueued> = queued.collect();
        occurrences.extend(firing.occurrences(&queued));
        fired.insert(key(firing), queued);
    }
    record(connection, &occurrences).await?;
    Ok(fired)
}

async fn move_on(
    connection: &mut PgConnection,
    firings: &[&Firing],
) -> Result<HashSet<(String, String)>, StoreError> {
    let column =
        |pick: fn(&Firing) -> i64| -> Vec<i64> { firings.iter().map(|it| pick(it)).collect() };
    let next = |it: &Firing| it.next.map_or(0, |next| next.0.timestamp_millis());
    let due = |it: &Firing| it.next.map_or(0, |next| next.1.timestamp_millis());
    let tasks: Vec<&str> = firings.iter().map(|it| it.timer.task.as_str()).collect();
    let names: Vec<&str> = firings.iter().map(|it| it.timer.name.as_str()).collect();
    let rows = sqlx::query(
        "UPDATE timers SET next_at = to_fire.next_at, due_at = to_fire.due_at, held_until = 0, problem = NULL
         FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
            AS to_fire (task, name, was_at, next_at, due_at)
         WHERE timers.task = to_fire.task AND timers.name = to_fire.name
            AND timers.next_at = to_fire.was_at
         RETURNING timers.task, timers.name",
    )
    .bind(&tasks)
    .bind(&names)
    .bind(column(|it| it.timer.next_at.timestamp_millis()))
    .bind(column(next))
    .bind(column(due))
    .fetch_all(connection)
    .await?;
    let moved = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    moved.collect()
}

/// Takes the causes of runs for them; gives the runs that others have taken theirs for, by the id of ours.
async fn take_causes(
    connection: &mut PgConnection,
    firings: &[&Firing],
) -> Result<HashMap<String, String>, StoreError> {
    let pairs = runs(firings).filter_map(|it| Some((it, it.run.trigger.as_ref()?)));
    let pairs: Vec<(&TimedRun, &Trigger)> = pairs.collect();
    let keys: Vec<&str> = pairs.iter().map(|it| it.1.key.as_str()).collect();
    let kinds: Vec<&str> = pairs.iter().map(|it| it.1.kind.as_str()).collect();
    let details: Vec<String> = pairs.iter().map(|it| it.1.details.to_string()).collect();
    let ids: Vec<&str> = pairs.iter().map(|it| it.0.run.id.as_str()).collect();
    sqlx::query(
        "INSERT INTO causes (cause_key, cause_kind, cause_details, caused_run)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
         ON CONFLICT (cause_key) DO NOTHING",
    )
    .bind(&keys)
    .bind(&kinds)
    .bind(&details)
    .bind(&ids)
    .execute(&mut *connection)
    .await?;
    let rows = sqlx::query(
        "SELECT ours.id, caused_run FROM unnest($1::text[], $2::text[]) AS ours (cause_key, id)
            JOIN causes ON causes.cause_key = ours.cause_key WHERE caused_run <> ours.id",
    )
    .bind(&keys)
    .bind(&ids)
    .fetch_all(connection)
    .await?;
    let known = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    known.collect()
}

async fn insert_runs(connection: &mut PgConnection, runs: &[&TimedRun]) -> Result<(), StoreError> {
    let ids: Vec<&str> = runs.iter().map(|it| it.run.id.as_str()).collect();
    let requests: Vec<String> = runs.iter().map(|it| it.run.request.to_string()).collect();
    let names: Vec<&str> = runs.iter().map(|it| it.run.name.as_str()).collect();
    let causes: Vec<&str> = runs.iter().map(|it| it.run.cause.as_str()).collect();
    let created: Vec<String> = runs.iter().map(|it| time_text(it.run.created_at)).collect();
    let pools: Vec<&str> = runs.iter().map(|it| it.place.pool.as_str()).collect();
    let priorities: Vec<i64> = runs.iter().map(|it| it.place.priority.into()).collect();
    let tasks: Vec<Option<&str>> = runs.iter().map(|it| it.place.task.as_deref()).collect();
    let losses: Vec<&str> = runs
        .iter()
        .map(|it| it.place.on_worker_loss.as_str())
        .collect();
    sqlx::query(
        "INSERT INTO runs (id, name, cause, created_at, pool, priority, task, on_worker_loss, status, queue_state)
         SELECT *, $9, 'ready' FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
            $6::bigint[], $7::text[], $8::text[])",
    )
    .bind(&ids)
    .bind(&names)
    .bind(&causes)
    .bind(&created)
    .bind(&pools)
    .bind(&priorities)
    .bind(&tasks)
    .bind(&losses)
    .bind(RunStatus::Queued.as_str())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO documents (run, request) SELECT * FROM unnest($1::text[], $2::text[])",
    )
    .bind(&ids)
    .bind(&requests)
    .execute(connection)
    .await?;
    Ok(())
}

async fn record(
    connection: &mut PgConnection,
    occurrences: &[Occurrence],
) -> Result<(), StoreError> {
    let tasks: Vec<&str> = occurrences.iter().map(|it| it.task.as_str()).collect();
    let timers: Vec<&str> = occurrences.iter().map(|it| it.timer.as_str()).collect();
    let times: Vec<i64> = occurrences
        .iter()
        .map(|it| it.at.timestamp_millis())
        .collect();
    let decided: Vec<i64> = occurrences
        .iter()
        .map(|it| it.decided_at.timestamp_millis())
        .collect();
    let runs: Vec<Option<&str>> = occurrences.iter().map(|it| it.run.as_deref()).collect();
    let reasons: Vec<&str> = occurrences.iter().map(|it| it.reason.as_str()).collect();
    sqlx::query(
        "INSERT INTO timer_occurrences (task, timer, at, decided_at, run, reason)
         SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[])",
    )
    .bind(&tasks)
    .bind(&timers)
    .bind(&times)
    .bind(&decided)
    .bind(&runs)
    .bind(&reasons)
    .execute(connection)
    .await?;
    Ok(())
}

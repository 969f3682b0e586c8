//! The `runs` table, and the sealed secrets of runs.

use sqlx::{FromRow, QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use super::values::{count, failed, json, maybe_time, micros, odd, time};
use crate::{
    engine::RunStatus,
    ports::{Lease, NewRun, RunFilter, RunRow, Sealed, StoreError},
};

/// The word for the newest run.
const LATEST: &str = "latest";

#[derive(FromRow)]
struct Row {
    id: String,
    name: String,
    cause: String,
    status: String,
    reason: Option<String>,
    request: String,
    prepared: String,
    generation: i64,
    rerun_of: Option<String>,
    created_at: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    steps: i64,
    steps_ended: i64,
}

const COLUMNS: &str = "id, name, cause, status, reason, request, prepared, generation, rerun_of, created_at, \
     started_at, ended_at, steps, steps_ended";

impl TryFrom<Row> for RunRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            name: row.name,
            cause: row.cause,
            status: row.status.parse().map_err(odd)?,
            reason: row.reason,
            request: json(&row.request)?,
            prepared: json(&row.prepared)?,
            generation: count(row.generation)?,
            rerun_of: row.rerun_of,
            created_at: time(row.created_at)?,
            started_at: maybe_time(row.started_at)?,
            ended_at: maybe_time(row.ended_at)?,
            steps: count(row.steps)?,
            steps_ended: count(row.steps_ended)?,
        })
    }
}

/// Records a queued run.
pub(super) async fn insert(tx: &mut SqliteConnection, run: &NewRun) -> Result<(), StoreError> {
    let done = sqlx::query(
        "insert into runs (id, name, cause, status, request, rerun_of, created_at) values (?, ?, ?, ?, ?, ?, ?) \
         on conflict (id) do nothing",
    )
    .bind(&run.id)
    .bind(&run.name)
    .bind(&run.cause)
    .bind(RunStatus::Queued.as_str())
    .bind(run.request.to_string())
    .bind(&run.rerun_of)
    .bind(micros(run.created_at))
    .execute(tx)
    .await
    .map_err(failed)?;
    if done.rows_affected() == 0 {
        return Err(StoreError::IdTaken(run.id.clone()));
    }
    Ok(())
}

/// Records a run's sealed secrets.
pub(super) async fn insert_secrets(
    tx: &mut SqliteConnection,
    run: &str,
    secrets: &[(String, Sealed)],
) -> Result<(), StoreError> {
    for (name, sealed) in secrets {
        sqlx::query("insert into run_secrets (run, name, key_id, sealed) values (?, ?, ?, ?)")
            .bind(run)
            .bind(name)
            .bind(&sealed.key_id)
            .bind(&sealed.bytes)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

/// Reads a run's sealed secrets.
pub(super) async fn secrets(
    pool: &SqlitePool,
    run: &str,
) -> Result<Vec<(String, Sealed)>, StoreError> {
    let rows: Vec<(String, String, Vec<u8>)> =
        sqlx::query_as("select name, key_id, sealed from run_secrets where run = ? order by name")
            .bind(run)
            .fetch_all(pool)
            .await
            .map_err(failed)?;
    Ok(rows
        .into_iter()
        .map(|(name, key_id, bytes)| (name, Sealed { key_id, bytes }))
        .collect())
}

/// Writes a run's summary if the lease still holds.
pub(super) async fn update(
    tx: &mut SqliteConnection,
    lease: &Lease,
    run: &RunRow,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "update runs set status = ?, reason = ?, prepared = ?, started_at = ?, ended_at = ?, steps = ?, \
         steps_ended = ? where id = ? and lease_token = ? and generation = ?",
    )
    .bind(run.status.as_str())
    .bind(&run.reason)
    .bind(run.prepared.to_string())
    .bind(run.started_at.map(micros))
    .bind(run.ended_at.map(micros))
    .bind(run.steps)
    .bind(run.steps_ended)
    .bind(&lease.run)
    .bind(super::leases::token(lease))
    .bind(lease.generation)
    .execute(tx)
    .await
    .map_err(failed)?;
    super::leases::held(lease, done.rows_affected())
}

/// Reads one run.
pub(super) async fn read(pool: &SqlitePool, run: &str) -> Result<RunRow, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new("select ");
    query
        .push(COLUMNS)
        .push(" from runs where id = ")
        .push_bind(run);
    let row: Option<Row> = query
        .build_query_as()
        .fetch_optional(pool)
        .await
        .map_err(failed)?;
    row.ok_or_else(|| StoreError::NoSuchRun(run.to_owned()))?
        .try_into()
}

/// Finds a run by its id, the beginning of it, or `latest`.
pub(super) async fn find(pool: &SqlitePool, word: &str) -> Result<String, StoreError> {
    let found: Vec<String> = if word == LATEST {
        sqlx::query_scalar("select id from runs order by created_at desc, id desc limit 1")
            .fetch_all(pool)
            .await
            .map_err(failed)?
    } else {
        sqlx::query_scalar("select id from runs where substr(id, 1, length(?1)) = ?1 order by id = ?1 desc limit 2")
            .bind(word)
            .fetch_all(pool)
            .await
            .map_err(failed)?
    };
    match found.as_slice() {
        [] => Err(StoreError::NoSuchRun(word.to_owned())),
        [only] => Ok(only.clone()),
        [exact, ..] if exact == word => Ok(exact.clone()),
        _ => Err(StoreError::Ambiguous(word.to_owned())),
    }
}

/// Lists runs, newest first.
pub(super) async fn list(pool: &SqlitePool, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new("select ");
    query.push(COLUMNS).push(" from runs where true");
    if let Some(status) = filter.status {
        query.push(" and status = ").push_bind(status.as_str());
    }
    if let Some(name) = &filter.name {
        query.push(" and name = ").push_bind(name);
    }
    if filter.unfinished {
        query.push(" and ended_at is null");
    }
    if let Some(before) = &filter.before {
        query
            .push(" and (created_at, id) < (select created_at, id from runs where id = ")
            .push_bind(before)
            .push(")");
    }
    query.push(" order by created_at desc, id desc");
    if filter.limit > 0 {
        query.push(" limit ").push_bind(filter.limit);
    }
    let rows: Vec<Row> = query
        .build_query_as()
        .fetch_all(pool)
        .await
        .map_err(failed)?;
    rows.into_iter().map(RunRow::try_from).collect()
}

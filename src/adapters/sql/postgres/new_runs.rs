//! Records new runs, many in one statement.

use async_trait::async_trait;
use sqlx::{PgConnection, PgExecutor, PgPool, Row};

use super::{errors, gathering::Write, rows::time_text};
use crate::{
    engine::RunStatus,
    ports::{NewRun, Placement, Sealed, StoreError},
};

/// A run that was recorded just now.
#[derive(Debug)]
pub(super) struct Added {
    /// The number of its creation.
    pub number: i64,
    /// Whether it comes under a limit, full or not.
    pub is_limited: bool,
}

/// A new run as its rows hold it.
#[derive(Debug)]
pub(super) struct RunRows {
    id: String,
    name: String,
    cause: String,
    rerun_of: Option<String>,
    created_at: String,
    request: String,
    secrets: Vec<(String, Sealed)>,
    place: Option<Placement>,
}

impl RunRows {
    /// Makes the rows of a run, ready to be claimed if it is placed in a pool.
    pub fn new(run: &NewRun, place: Option<&Placement>) -> RunRows {
        RunRows {
            id: run.id.clone(),
            name: run.name.clone(),
            cause: run.cause.clone(),
            rerun_of: run.rerun_of.clone(),
            created_at: time_text(run.created_at),
            request: run.request.to_string(),
            secrets: run.secrets.clone(),
            place: place.cloned(),
        }
    }

    fn pool(&self) -> Option<&str> {
        self.place.as_ref().map(|place| place.pool.as_str())
    }

    fn task(&self) -> Option<&str> {
        self.place.as_ref().and_then(|place| place.task.as_deref())
    }

    fn group(&self) -> Option<&str> {
        let group = self.place.as_ref().and_then(|place| place.group.as_ref());
        group.map(|group| group.name.as_str())
    }

    fn group_policy(&self) -> Option<&str> {
        let group = self.place.as_ref().and_then(|place| place.group.as_ref());
        group.map(|group| group.policy.as_str())
    }

    fn on_worker_loss(&self) -> Option<&str> {
        let place = self.place.as_ref();
        place.map(|place| place.on_worker_loss.as_str())
    }

    fn named_secrets(&self) -> impl Iterator<Item = (&str, &str, &Sealed)> {
        let secrets = self.secrets.iter();
        secrets.map(|(name, sealed)| (&*self.id, name.as_str(), sealed))
    }

    fn bucket(&self) -> Option<i16> {
        let bucket = self.place.as_ref().and_then(Placement::bucket);
        bucket.map(i16::from)
    }

    fn needs(&self) -> String {
        let place = self.place.as_ref();
        place.map_or_else(|| "{}".to_owned(), |place| place.needs.key())
    }
}

#[async_trait]
impl Write for RunRows {
    type Answer = Added;

    async fn write_all(pool: &PgPool, all: &[RunRows]) -> sqlx::Result<Vec<Added>> {
        insert_all(pool, all).await
    }

    fn refusal(&self, error: sqlx::Error) -> StoreError {
        match errors::is_taken(&error) {
            true => StoreError::IdTaken(self.id.clone()),
            false => error.into(),
        }
    }
}

/// Records a run within a transaction.
pub(super) async fn insert(
    connection: &mut PgConnection,
    run: &NewRun,
    place: Option<&Placement>,
) -> Result<Added, StoreError> {
    let rows = [RunRows::new(run, place)];
    let added = insert_all(connection, &rows).await;
    let mut added = added.map_err(|error| rows[0].refusal(error))?;
    added.pop().ok_or_else(|| sqlx::Error::RowNotFound.into())
}

/// Numbers are given in the order of the arrays.
const INSERT: &str = "
    WITH batch AS MATERIALIZED (
        SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $19::smallint[])
        WITH ORDINALITY
        AS batch (id, name, cause, rerun_of, created_at, pool, priority, task, concurrency_group, group_policy,
            on_worker_loss, needs, request, bucket, nth)),
    added AS (
        INSERT INTO runs (id, name, cause, status, rerun_of, created_at, pool, priority, task,
            concurrency_group, group_policy, on_worker_loss, needs, bucket, queue_state)
        SELECT id, name, cause, $14, rerun_of, created_at, pool, priority, task, concurrency_group, group_policy,
            on_worker_loss, needs, bucket, CASE WHEN pool IS NULL THEN NULL ELSE 'ready' END FROM batch ORDER BY nth
        RETURNING number, pool, task, concurrency_group),
    documented AS (INSERT INTO documents (run, request) SELECT id, request FROM batch),
    sealed AS (
        INSERT INTO secrets (run, name, key_id, sealed)
        SELECT * FROM UNNEST($15::text[], $16::text[], $17::text[], $18::bytea[]))
    SELECT number, EXISTS (SELECT 1 FROM limits WHERE scope IN
        ('global', 'pool:' || pool, 'task:' || task, 'group:' || concurrency_group)) AS is_limited
    FROM added ORDER BY number";

async fn insert_all<'c>(to: impl PgExecutor<'c>, all: &[RunRows]) -> sqlx::Result<Vec<Added>> {
    let texts = |part: fn(&RunRows) -> &str| all.iter().map(part).collect::<Vec<_>>();
    let some = |part: fn(&RunRows) -> Option<&str>| all.iter().map(part).collect::<Vec<_>>();
    let priority = |run: &RunRows| run.place.as_ref().map_or(0, |it| i64::from(it.priority));
    let secrets: Vec<_> = all.iter().flat_map(RunRows::named_secrets).collect();
    let rows = sqlx::query(INSERT)
        .bind(texts(|run| &run.id))
        .bind(texts(|run| &run.name))
        .bind(texts(|run| &run.cause))
        .bind(some(|run| run.rerun_of.as_deref()))
        .bind(texts(|run| &run.created_at))
        .bind(some(RunRows::pool))
        .bind(all.iter().map(priority).collect::<Vec<_>>())
        .bind(some(RunRows::task))
        .bind(some(RunRows::group))
        .bind(some(RunRows::group_policy))
        .bind(some(RunRows::on_worker_loss))
        .bind(all.iter().map(RunRows::needs).collect::<Vec<_>>())
        .bind(texts(|run| &run.request))
        .bind(RunStatus::Queued.as_str())
        .bind(secrets.iter().map(|it| it.0).collect::<Vec<_>>())
        .bind(secrets.iter().map(|it| it.1).collect::<Vec<_>>())
        .bind(secrets.iter().map(|it| &*it.2.key_id).collect::<Vec<_>>())
        .bind(secrets.iter().map(|it| &*it.2.bytes).collect::<Vec<_>>())
        .bind(all.iter().map(RunRows::bucket).collect::<Vec<_>>())
        .fetch_all(to)
        .await?;
    let added = |row: &sqlx::postgres::PgRow| {
        Ok(Added {
            number: row.try_get("number")?,
            is_limited: row.try_get("is_limited")?,
        })
    };
    rows.iter().map(added).collect()
}

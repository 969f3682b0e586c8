//! Runs: what was asked, how they stand, and how people find them.

use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::read::runs::{summary, whole};
use super::read::secrets::named_secret;
use super::{SqliteStore, causes, errors, rows::time_text};
use crate::{
    engine::RunStatus,
    ports::{NewRun, Placement, RunFilter, RunRow, RunWord, Sealed, Starter, StoreError},
};

/// Records a queued run with its sealed secrets.
pub(super) async fn create(store: &SqliteStore, run: &NewRun) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    if let Some(other) = causes::take(&mut transaction, run).await? {
        return Err(StoreError::CauseTaken(other));
    }
    insert(&mut transaction, run, None).await?;
    transaction.commit().await
}

/// Records a run within a transaction, ready to be claimed if it is placed in a pool, and returns its number.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    run: &NewRun,
    place: Option<&Placement>,
) -> Result<i64, StoreError> {
    let number = insert_row(connection, run, place).await?;
    sqlx::query("INSERT INTO documents (run, request) VALUES (?1, ?2)")
        .bind(&run.id)
        .bind(run.request.to_string())
        .execute(&mut *connection)
        .await?;
    if !run.secrets.is_empty() {
        insert_secrets(connection, run).await?;
    }
    Ok(number)
}

async fn insert_row(
    connection: &mut SqliteConnection,
    run: &NewRun,
    place: Option<&Placement>,
) -> Result<i64, StoreError> {
    let group = place.and_then(|place| place.group.as_ref());
    let inserted = sqlx::query(
        "INSERT INTO runs (id, name, cause, status, rerun_of, created_at, pool, priority, task,
                concurrency_group, group_policy, on_worker_loss, needs, bucket, queue_state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, iif(?7 IS NULL, NULL, 'ready'))
         RETURNING number",
    )
    .bind(&run.id)
    .bind(&run.name)
    .bind(&run.cause)
    .bind(RunStatus::Queued.as_str())
    .bind(&run.rerun_of)
    .bind(time_text(run.created_at))
    .bind(place.map(|place| place.pool.as_str()))
    .bind(place.map_or(0, |place| place.priority))
    .bind(place.and_then(|place| place.task.as_deref()))
    .bind(group.map(|group| group.name.as_str()))
    .bind(group.map(|group| group.policy.as_str()))
    .bind(place.map(|place| place.on_worker_loss.as_str()))
    .bind(place.map_or_else(|| "{}".to_owned(), |place| place.needs.key()))
    .bind(place.and_then(Placement::bucket))
    .fetch_one(connection)
    .await;
    match inserted {
        Err(error) if errors::is_constraint(&error) => Err(StoreError::IdTaken(run.id.clone())),
        other => Ok(other?.try_get("number")?),
    }
}

async fn insert_secrets(connection: &mut SqliteConnection, run: &NewRun) -> Result<(), StoreError> {
    let mut query = QueryBuilder::new("INSERT INTO secrets (run, name, key_id, sealed) ");
    query.push_values(&run.secrets, |mut row, (name, sealed)| {
        row.push_bind(&run.id)
            .push_bind(name)
            .push_bind(&sealed.key_id)
            .push_bind(&sealed.bytes);
    });
    let query = query.build().persistent(false);
    query.execute(connection).await?;
    Ok(())
}

/// Reads the sealed secrets of a run.
pub(super) async fn secrets(
    store: &SqliteStore,
    run: &str,
) -> Result<Vec<(String, Sealed)>, StoreError> {
    let rows = sqlx::query("SELECT name, key_id, sealed FROM secrets WHERE run = ?1 ORDER BY name")
        .bind(run)
        .fetch_all(&store.readers)
        .await?;
    rows.iter().map(named_secret).collect()
}

/// Reads one run, long texts included.
pub(super) async fn one(store: &SqliteStore, run: &str) -> Result<RunRow, StoreError> {
    let found = sqlx::query(
        "SELECT runs.*, request, prepared, causes.* FROM runs JOIN documents ON run = id
            LEFT JOIN causes ON caused_run = id WHERE id = ?1",
    )
    .bind(run)
    .fetch_optional(&store.readers)
    .await?;
    let row = found.ok_or_else(|| StoreError::NoSuchRun(run.to_owned()))?;
    whole(&row)
}

/// Lists runs, newest first.
pub(super) async fn list(
    store: &SqliteStore,
    filter: &RunFilter,
) -> Result<Vec<RunRow>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT runs.*, causes.* FROM runs LEFT JOIN causes ON caused_run = id WHERE true",
    );
    if let Some(status) = filter.status {
        query.push(" AND status = ").push_bind(status.as_str());
    }
    let columns = [
        (" AND name = ", &filter.name),
        (" AND task = ", &filter.task),
        (" AND pool = ", &filter.pool),
        (" AND concurrency_group = ", &filter.group),
    ];
    for (condition, wanted) in columns {
        if let Some(wanted) = wanted {
            query.push(condition).push_bind(wanted);
        }
    }
    what_it_was(&mut query, filter);
    if let Some(wanted) = &filter.contains {
        query
            .push(" AND (id || ' ' || name || ' ' || cause) LIKE ")
            .push_bind(containing(wanted))
            .push(" ESCAPE '!'");
    }
    if filter.local {
        query.push(" AND pool IS NULL");
    }
    if filter.unfinished {
        query.push(" AND status IN ('queued', 'preparing', 'running')");
    }
    if let Some(before) = &filter.before {
        query
            .push(" AND number < (SELECT number FROM runs WHERE id = ")
            .push_bind(before)
            .push(")");
    }
    query.push(" ORDER BY number DESC");
    if filter.limit > 0 {
        query.push(" LIMIT ").push_bind(filter.limit);
    }
    let rows = query.build().fetch_all(&store.readers).await?;
    rows.iter().map(summary).collect()
}

/// Narrows a list down by what started a run, and by what stands in its record.
fn what_it_was(query: &mut QueryBuilder<Sqlite>, filter: &RunFilter) {
    match filter.starter {
        None => {}
        Some(Starter::Person) => drop(query.push(" AND cause_key IS NULL")),
        Some(Starter::Trigger(kind)) => {
            query.push(" AND cause_kind = ").push_bind(kind.as_str());
        }
    }
    if let Some(branch) = &filter.branch {
        query.push(" AND branch = ").push_bind(branch);
    }
    if let Some(image) = &filter.image {
        query
            .push(" AND EXISTS (SELECT 1 FROM run_images WHERE run_images.number = runs.number AND instr(words, ")
            .push_bind(image.to_lowercase())
            .push(") > 0)");
    }
}

/// The pattern that matches what contains this, letter by letter.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern + "%"
}

/// Finds the id of the run that a person means.
pub(super) async fn find(store: &SqliteStore, word: &str) -> Result<String, StoreError> {
    let query = match RunWord::parse(word) {
        RunWord::Latest(back) => {
            sqlx::query("SELECT id FROM runs ORDER BY number DESC LIMIT 1 OFFSET ?1").bind(back)
        }
        // The whole id comes first, should it also begin another.
        RunWord::Prefix(prefix) => sqlx::query(
            "SELECT id FROM runs WHERE id >= ?1 AND id < ?1 || char(0x10ffff) ORDER BY id LIMIT 2",
        )
        .bind(prefix),
    };
    let rows = query.fetch_all(&store.readers).await?;
    let first: Option<String> = rows.first().map(|row| row.try_get(0)).transpose()?;
    match first {
        None => Err(StoreError::NoSuchRun(word.to_owned())),
        Some(id) if id == word || rows.len() == 1 => Ok(id),
        Some(_) => Err(StoreError::Ambiguous(word.to_owned())),
    }
}

/// Forgets a run and everything recorded of it.
pub(super) async fn delete(store: &SqliteStore, run: &str) -> Result<(), StoreError> {
    let deleted = sqlx::query("DELETE FROM runs WHERE id = ?1")
        .bind(run)
        .execute(&store.writer)
        .await?;
    if deleted.rows_affected() == 0 {
        return Err(StoreError::NoSuchRun(run.to_owned()));
    }
    Ok(())
}

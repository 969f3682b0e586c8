//! Runs: what was asked, how they stand, and how people find them.

use sqlx::{Postgres, QueryBuilder, Row};

use super::read::runs::{summary, whole};
use super::read::secrets::named_secret;
use super::{
    PostgresStore, causes,
    new_runs::{RunRows, insert},
};
use crate::ports::{NewRun, RunFilter, RunRow, RunWord, Sealed, Starter, StoreError};

/// Records a queued run with its sealed secrets.
pub(super) async fn create(store: &PostgresStore, run: &NewRun) -> Result<(), StoreError> {
    if run.trigger.is_none() {
        return store
            .new_runs
            .write(RunRows::new(run, None))
            .await
            .map(drop);
    }
    let mut transaction = store.pool.begin().await?;
    if let Some(other) = causes::take(&mut transaction, run).await? {
        return Err(StoreError::CauseTaken(other));
    }
    insert(&mut transaction, run, None).await?;
    Ok(transaction.commit().await?)
}

/// Reads the sealed secrets of a run.
pub(super) async fn secrets(
    store: &PostgresStore,
    run: &str,
) -> Result<Vec<(String, Sealed)>, StoreError> {
    let rows = sqlx::query("SELECT name, key_id, sealed FROM secrets WHERE run = $1 ORDER BY name")
        .bind(run)
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(named_secret).collect()
}

/// Reads one run, long texts included.
pub(super) async fn one(store: &PostgresStore, run: &str) -> Result<RunRow, StoreError> {
    let found = sqlx::query(
        "SELECT runs.*, request, prepared, causes.* FROM runs JOIN documents ON run = id
            LEFT JOIN causes ON caused_run = id WHERE id = $1",
    )
    .bind(run)
    .fetch_optional(&store.pool)
    .await?;
    let row = found.ok_or_else(|| StoreError::NoSuchRun(run.to_owned()))?;
    whole(&row)
}

/// Lists runs, newest first.
pub(super) async fn list(
    store: &PostgresStore,
    filter: &RunFilter,
) -> Result<Vec<RunRow>, StoreError> {
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT runs.*, causes.* FROM runs LEFT JOIN causes ON caused_run = id WHERE true",
    );
    if let Some(status) = filter.status {
        // Not bound: only a status that the planner sees finds its partial index.
        query
            .push(" AND status = '")
            .push(status.as_str())
            .push("'");
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
            .push(" AND (id || ' ' || name || ' ' || cause) ILIKE ")
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
        query.push(" LIMIT ").push_bind(i64::from(filter.limit));
    }
    let rows = query.build().fetch_all(&store.pool).await?;
    rows.iter().map(summary).collect()
}

/// Narrows a list down by what started a run, and by what stands in its record.
fn what_it_was(query: &mut QueryBuilder<Postgres>, filter: &RunFilter) {
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
            .push(" AND EXISTS (SELECT 1 FROM run_images WHERE run_images.number = runs.number AND strpos(words, ")
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
pub(super) async fn find(store: &PostgresStore, word: &str) -> Result<String, StoreError> {
    let query = match RunWord::parse(word) {
        RunWord::Latest(back) => {
            sqlx::query("SELECT id FROM runs ORDER BY number DESC LIMIT 1 OFFSET $1")
                .bind(i64::from(back))
        }
        // The whole id comes first, should it also begin another.
        RunWord::Prefix(prefix) => {
            sqlx::query("SELECT id FROM runs WHERE id >= $1 AND id < $1 || '~' ORDER BY id LIMIT 2")
                .bind(prefix)
        }
    };
    let rows = query.fetch_all(&store.pool).await?;
    let first: Option<String> = rows.first().map(|row| row.try_get(0)).transpose()?;
    match first {
        None => Err(StoreError::NoSuchRun(word.to_owned())),
        Some(id) if id == word || rows.len() == 1 => Ok(id),
        Some(_) => Err(StoreError::Ambiguous(word.to_owned())),
    }
}

/// Forgets a run and everything recorded of it.
pub(super) async fn delete(store: &PostgresStore, run: &str) -> Result<(), StoreError> {
    let deleted = sqlx::query("DELETE FROM runs WHERE id = $1")
        .bind(run)
        .execute(&store.pool)
        .await?;
    if deleted.rows_affected() == 0 {
        return Err(StoreError::NoSuchRun(run.to_owned()));
    }
    Ok(())
}

//! Copies of all tables: one file each, as they were at one moment.

use std::{collections::HashMap, path::Path};

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use tokio::{
    fs::File,
    io::{AsyncWriteExt, BufReader},
};

use super::PostgresStore;
use crate::ports::StoreError;

/// The file that tells which migration the tables of a dump had come to.
const VERSION: &str = "version";

/// Writes all tables as one transaction sees them.
pub(super) async fn write(store: &PostgresStore, into: &Path) -> Result<(), StoreError> {
    let mut transaction = store
        .pool
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    let version = version(&mut transaction).await?.to_string();
    let written = tokio::fs::write(into.join(VERSION), version).await;
    written.map_err(|error| unusable(into, &error))?;
    for table in tables(&mut transaction).await? {
        let path = into.join(&table);
        let mut file = File::create(&path)
            .await
            .map_err(|error| unusable(&path, &error))?;
        let copy = format!("COPY {table} TO STDOUT");
        let mut rows = transaction.copy_out_raw(&copy).await?;
        while let Some(bytes) = rows.try_next().await? {
            let written = file.write_all(&bytes).await;
            written.map_err(|error| unusable(&path, &error))?;
        }
        let flushed = file.flush().await;
        flushed.map_err(|error| unusable(&path, &error))?;
    }
    Ok(transaction.commit().await?)
}

/// Replaces the rows of all tables; everybody else waits meanwhile.
pub(super) async fn read(store: &PostgresStore, from: &Path) -> Result<(), StoreError> {
    let mut transaction = store.pool.begin().await?;
    let found = tokio::fs::read_to_string(from.join(VERSION)).await;
    let found = found.map_err(|error| unusable(from, &error))?;
    let version = version(&mut transaction).await?;
    if found != version.to_string() {
        return Err(StoreError::Database(format!(
            "the tables of the backup are of version {found}, these are of {version}: restore it with the careen that made it"
        )));
    }
    let tables = tables(&mut transaction).await?;
    let empty = AssertSqlSafe(format!("TRUNCATE {}", tables.join(", ")));
    sqlx::raw_sql(empty).execute(&mut *transaction).await?;
    for table in &tables {
        let path = from.join(table);
        let file = File::open(&path).await;
        let file = file.map_err(|error| unusable(&path, &error))?;
        let sql = format!("COPY {table} FROM STDIN");
        let mut copy = transaction.copy_in_raw(&sql).await?;
        copy.read_from(BufReader::new(file)).await?;
        copy.finish().await?;
    }
    go_on_counting(&mut transaction).await?;
    Ok(transaction.commit().await?)
}

async fn version(connection: &mut PgConnection) -> Result<i64, StoreError> {
    let row = sqlx::query("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(connection)
        .await?;
    Ok(row.try_get(0)?)
}

/// All tables, those that others refer to before them.
async fn tables(connection: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(
        "SELECT relname::text, coalesce((SELECT array_agg(other.relname::text) FROM pg_constraint
                JOIN pg_class AS other ON other.oid = confrelid
                WHERE conrelid = pg_class.oid AND contype = 'f' AND confrelid <> conrelid), '{}') AS needs
         FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
            AND relname <> '_sqlx_migrations' ORDER BY relname",
    )
    .fetch_all(connection)
    .await?;
    let mut left: HashMap<String, Vec<String>> = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get("needs")?)))
        .collect::<Result<_, sqlx::Error>>()?;
    let mut tables: Vec<String> = Vec::new();
    while !left.is_empty() {
        let mut next: Vec<String> = left
            .iter()
            .filter(|(_, needs)| needs.iter().all(|it| tables.contains(it)))
            .map(|(table, _)| table.clone())
            .collect();
        if next.is_empty() {
            let circle = "its tables refer to each other in a circle".to_owned();
            return Err(StoreError::Database(circle));
        }
        next.sort();
        next.iter().for_each(|it| drop(left.remove(it)));
        tables.append(&mut next);
    }
    Ok(tables)
}

/// Lets numbers that the database gives go on after those that were restored.
async fn go_on_counting(connection: &mut PgConnection) -> Result<(), StoreError> {
    let columns = sqlx::query(
        "SELECT table_name::text, column_name::text FROM information_schema.columns
         WHERE table_schema = current_schema() AND is_identity = 'YES'",
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in &columns {
        let (table, column): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', '{column}'),
                    (SELECT coalesce(max({column}), 0) + 1 FROM {table}), false)"
        );
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        sql.execute(&mut *connection).await?;
    }
    Ok(())
}

fn unusable(path: &Path, error: &std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull => StoreError::DiskFull,
        _ => StoreError::Database(format!("{}: {error}", path.display())),
    }
}

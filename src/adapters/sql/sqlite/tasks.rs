//! Stored tasks and all their versions.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::read::secrets::named_secret;
use super::read::tasks::{definition_text, task, version};
use super::{
    SqliteStore,
    rows::{Columns, time_text},
};
use crate::ports::{
    Sealed, StoreError, TaskChange, TaskError, TaskFilter, TaskRow, TaskStore, TaskVersion,
};

#[async_trait]
impl TaskStore for SqliteStore {
    async fn put_task(&self, change: &TaskChange) -> Result<TaskRow, TaskError> {
        let name = &change.definition.name;
        let mut transaction = self.begin().await?;
        let present = find(&mut transaction, name).await?;
        change
            .expected
            .check(name, present.as_ref().map(|it| it.version))?;
        let row = match present {
            Some(row) if row.definition == change.definition => {
                keep_manifest(&mut transaction, change, row).await?
            }
            present => insert(&mut transaction, change, present).await?,
        };
        keep_secrets(&mut transaction, change).await?;
        transaction.commit().await?;
        Ok(row)
    }

    async fn task(&self, name: &str) -> Result<TaskRow, TaskError> {
        let row = sqlx::query("SELECT * FROM tasks WHERE name = ?1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::from)?;
        let row = row.ok_or_else(|| TaskError::NoSuchTask(name.to_owned()))?;
        Ok(task(&row)?)
    }

    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>, TaskError> {
        Ok(list(self, filter).await?)
    }

    async fn delete_task(&self, name: &str, by: &str, at: DateTime<Utc>) -> Result<(), TaskError> {
        let mut transaction = self.begin().await?;
        if !remove(&mut transaction, name).await? {
            return Err(TaskError::NoSuchTask(name.to_owned()));
        }
        let version = next_version(&mut transaction, name).await?;
        add_version(&mut transaction, name, (version, None, by, at)).await?;
        Ok(transaction.commit().await?)
    }

    async fn task_versions(&self, name: &str) -> Result<Vec<TaskVersion>, TaskError> {
        let rows = sqlx::query("SELECT * FROM task_versions WHERE task = ?1 ORDER BY version DESC")
            .bind(name)
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::from)?;
        if rows.is_empty() {
            return Err(TaskError::NoSuchTask(name.to_owned()));
        }
        Ok(rows.iter().map(version).collect::<Result<_, _>>()?)
    }

    async fn task_version(&self, name: &str, number: u32) -> Result<TaskVersion, TaskError> {
        let row = sqlx::query("SELECT * FROM task_versions WHERE task = ?1 AND version = ?2")
            .bind(name)
            .bind(number)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::from)?;
        let row = row.ok_or_else(|| TaskError::NoSuchVersion(name.to_owned(), number))?;
        Ok(version(&row)?)
    }

    async fn task_secrets(&self, name: &str) -> Result<Vec<(String, Sealed)>, TaskError> {
        Ok(secrets(self, name).await?)
    }
}

async fn find(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<TaskRow>, StoreError> {
    let row = sqlx::query("SELECT * FROM tasks WHERE name = ?1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(task).transpose()
}

async fn insert(
    connection: &mut SqliteConnection,
    change: &TaskChange,
    present: Option<TaskRow>,
) -> Result<TaskRow, StoreError> {
    let name = &change.definition.name;
    let row = TaskRow {
        version: next_version(connection, name).await?,
        definition: change.definition.clone(),
        created_at: present.map_or(change.at, |it| it.created_at),
        updated_at: change.at,
        updated_by: change.by.clone(),
        manifest: change.manifest.clone(),
    };
    let text = definition_text(&row.definition)?;
    sqlx::query(
        "INSERT INTO tasks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO UPDATE
         SET version = ?2, definition = ?3, updated_at = ?5, updated_by = ?6, manifest = ?7",
    )
    .bind(name)
    .bind(row.version)
    .bind(&text)
    .bind(time_text(row.created_at))
    .bind(time_text(row.updated_at))
    .bind(&row.updated_by)
    .bind(&row.manifest)
    .execute(&mut *connection)
    .await?;
    let version = (row.version, Some(text), change.by.as_str(), change.at);
    add_version(connection, name, version).await?;
    Ok(row)
}

async fn keep_manifest(
    connection: &mut SqliteConnection,
    change: &TaskChange,
    row: TaskRow,
) -> Result<TaskRow, StoreError> {
    let manifest = change.manifest.clone();
    sqlx::query("UPDATE tasks SET manifest = ?2 WHERE name = ?1")
        .bind(&change.definition.name)
        .bind(&manifest)
        .execute(connection)
        .await?;
    Ok(TaskRow { manifest, ..row })
}

async fn next_version(connection: &mut SqliteConnection, name: &str) -> Result<u32, StoreError> {
    let row = sqlx::query(
        "SELECT coalesce(max(version), 0) + 1 AS next FROM task_versions WHERE task = ?1",
    )
    .bind(name)
    .fetch_one(connection)
    .await?;
    row.count("next")
}

async fn add_version(
    connection: &mut SqliteConnection,
    name: &str,
    (version, definition, by, at): (u32, Option<String>, &str, DateTime<Utc>),
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO task_versions VALUES (?1, ?2, ?3, ?4, ?5)")
        .bind(name)
        .bind(version)
        .bind(definition)
        .bind(time_text(at))
        .bind(by)
        .execute(connection)
        .await?;
    Ok(())
}

async fn keep_secrets(
    connection: &mut SqliteConnection,
    change: &TaskChange,
) -> Result<(), StoreError> {
    let name = &change.definition.name;
    for (secret, sealed) in &change.secrets {
        sqlx::query(
            "INSERT INTO task_secrets VALUES (?1, ?2, ?3, ?4) ON CONFLICT (task, name) DO UPDATE
             SET key_id = ?3, sealed = ?4",
        )
        .bind(name)
        .bind(secret)
        .bind(&sealed.key_id)
        .bind(&sealed.bytes)
        .execute(&mut *connection)
        .await?;
    }
    sqlx::query(
        "DELETE FROM task_secrets WHERE task = ?1 AND name NOT IN (SELECT value FROM json_each(?2))",
    )
    .bind(name)
    .bind(serde_json::json!(change.definition.secret_values).to_string())
    .execute(connection)
    .await?;
    Ok(())
}

async fn list(store: &SqliteStore, filter: &TaskFilter) -> Result<Vec<TaskRow>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM tasks WHERE true");
    if let Some(after) = &filter.after {
        query.push(" AND name > ").push_bind(after);
    }
    if let Some(part) = &filter.contains {
        query
            .push(" AND instr(name, ")
            .push_bind(part)
            .push(") > 0");
    }
    query.push(" ORDER BY name");
    if filter.limit > 0 {
        query.push(" LIMIT ").push_bind(filter.limit);
    }
    let rows = query.build().fetch_all(&store.readers).await?;
    rows.iter().map(task).collect()
}

async fn remove(connection: &mut SqliteConnection, name: &str) -> Result<bool, StoreError> {
    let removed = sqlx::query("DELETE FROM tasks WHERE name = ?1")
        .bind(name)
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() > 0)
}

async fn secrets(store: &SqliteStore, name: &str) -> Result<Vec<(String, Sealed)>, StoreError> {
    let rows =
        sqlx::query("SELECT name, key_id, sealed FROM task_secrets WHERE task = ?1 ORDER BY name")
            .bind(name)
            .fetch_all(&store.readers)
            .await?;
    rows.iter().map(named_secret).collect()
}

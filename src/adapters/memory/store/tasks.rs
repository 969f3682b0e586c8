//! Stored tasks in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::ports::{Sealed, TaskChange, TaskError, TaskFilter, TaskRow, TaskStore, TaskVersion};

/// A store of tasks in memory.
#[derive(Debug, Default)]
pub struct MemoryTasks {
    tasks: Mutex<BTreeMap<String, Stored>>,
}

/// A task that is, or was.
#[derive(Debug, Default)]
struct Stored {
    row: Option<TaskRow>,
    versions: Vec<TaskVersion>,
    secrets: BTreeMap<String, Sealed>,
}

impl MemoryTasks {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Stored>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stored {
    fn put(&mut self, change: &TaskChange) -> TaskRow {
        for (name, sealed) in &change.secrets {
            self.secrets.insert(name.clone(), sealed.clone());
        }
        let named = &change.definition.secret_values;
        self.secrets.retain(|name, _| named.contains(name));
        if let Some(row) = &mut self.row
            && row.definition == change.definition
        {
            row.manifest.clone_from(&change.manifest);
            return row.clone();
        }
        let row = TaskRow {
            definition: change.definition.clone(),
            version: self.next_version(),
            created_at: self.row.as_ref().map_or(change.at, |it| it.created_at),
            updated_at: change.at,
            updated_by: change.by.clone(),
            manifest: change.manifest.clone(),
        };
        self.versions.push(TaskVersion {
            version: row.version,
            definition: Some(row.definition.clone()),
            at: change.at,
            by: change.by.clone(),
        });
        self.row = Some(row.clone());
        row
    }

    fn next_version(&self) -> u32 {
        self.versions.last().map_or(1, |last| last.version + 1)
    }
}

#[async_trait]
impl TaskStore for MemoryTasks {
    async fn put_task(&self, change: &TaskChange) -> Result<TaskRow, TaskError> {
        let name = &change.definition.name;
        let mut tasks = self.lock();
        let found = tasks.get(name).and_then(|it| it.row.as_ref());
        change.expected.check(name, found.map(|row| row.version))?;
        Ok(tasks.entry(name.clone()).or_default().put(change))
    }

    async fn task(&self, name: &str) -> Result<TaskRow, TaskError> {
        let tasks = self.lock();
        let row = tasks.get(name).and_then(|it| it.row.clone());
        row.ok_or_else(|| TaskError::NoSuchTask(name.to_owned()))
    }

    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>, TaskError> {
        let limit = match filter.limit {
            0 => usize::MAX,
            limit => limit as usize,
        };
        let is_wanted = |name: &str| {
            filter.after.as_deref().is_none_or(|after| name > after)
                && filter
                    .contains
                    .as_deref()
                    .is_none_or(|it| name.contains(it))
        };
        let tasks = self.lock();
        let rows = tasks.values().filter_map(|it| it.row.clone());
        Ok(rows
            .filter(|row| is_wanted(&row.definition.name))
            .take(limit)
            .collect())
    }

    async fn delete_task(&self, name: &str, by: &str, at: DateTime<Utc>) -> Result<(), TaskError> {
        let mut tasks = self.lock();
        let stored = tasks.get_mut(name).filter(|it| it.row.is_some());
        let stored = stored.ok_or_else(|| TaskError::NoSuchTask(name.to_owned()))?;
        stored.row = None;
        stored.secrets.clear();
        stored.versions.push(TaskVersion {
            version: stored.next_version(),
            definition: None,
            at,
            by: by.to_owned(),
        });
        Ok(())
    }

    async fn task_versions(&self, name: &str) -> Result<Vec<TaskVersion>, TaskError> {
        let tasks = self.lock();
        let stored = tasks.get(name);
        let stored = stored.ok_or_else(|| TaskError::NoSuchTask(name.to_owned()))?;
        Ok(stored.versions.iter().rev().cloned().collect())
    }

    async fn task_version(&self, name: &str, version: u32) -> Result<TaskVersion, TaskError> {
        let tasks = self.lock();
        let mut versions = tasks.get(name).into_iter().flat_map(|it| &it.versions);
        let found = versions.find(|it| it.version == version).cloned();
        found.ok_or_else(|| TaskError::NoSuchVersion(name.to_owned(), version))
    }

    async fn task_secrets(&self, name: &str) -> Result<Vec<(String, Sealed)>, TaskError> {
        let tasks = self.lock();
        let secrets = tasks.get(name).into_iter().flat_map(|it| &it.secrets);
        Ok(secrets
            .map(|(name, it)| (name.clone(), it.clone()))
            .collect())
    }
}

//! What people do with stored tasks, on this machine's database or through a server.

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::SecretString;

use super::{App, AppError};
use crate::{
    ports::{Expected, TaskChange, TaskFilter, TaskRow, TaskVersion},
    tasks::{Definition, ManifestError, check},
};

/// A change of a task, as a person or a manifest asks for it.
#[derive(Debug, Clone)]
pub struct TaskWish {
    /// What the task is to be made of.
    pub definition: Definition,
    /// Secret values to set, in clear; those not given stay.
    pub secrets: BTreeMap<String, SecretString>,
    /// What must be there.
    pub expected: Expected,
    /// The manifest file it comes from.
    pub manifest: Option<String>,
}

/// Where stored tasks are read and changed.
#[async_trait]
pub trait TaskDesk: Send + Sync {
    /// Stores a task, if what is expected is there.
    async fn put(&self, wish: TaskWish) -> Result<TaskRow, AppError>;
    /// Reads a task.
    async fn get(&self, name: &str) -> Result<TaskRow, AppError>;
    /// Lists tasks by name.
    async fn list(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>, AppError>;
    /// Deletes a task; its history stays.
    async fn delete(&self, name: &str) -> Result<(), AppError>;
    /// Lists the versions of a task, newest first.
    async fn history(&self, name: &str) -> Result<Vec<TaskVersion>, AppError>;
    /// Reads one version of a task.
    async fn version(&self, name: &str, version: u32) -> Result<TaskVersion, AppError>;
}

#[async_trait]
impl TaskDesk for App {
    async fn put(&self, wish: TaskWish) -> Result<TaskRow, AppError> {
        self.put_task(wish, &local_user()).await
    }

    async fn get(&self, name: &str) -> Result<TaskRow, AppError> {
        Ok(self.tasks.task(name).await?)
    }

    async fn list(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>, AppError> {
        Ok(self.tasks.tasks(filter).await?)
    }

    async fn delete(&self, name: &str) -> Result<(), AppError> {
        self.delete_task(name, &local_user()).await
    }

    async fn history(&self, name: &str) -> Result<Vec<TaskVersion>, AppError> {
        Ok(self.tasks.task_versions(name).await?)
    }

    async fn version(&self, name: &str, version: u32) -> Result<TaskVersion, AppError> {
        Ok(self.tasks.task_version(name, version).await?)
    }
}

impl App {
    /// Stores a task in someone's name; its secrets are sealed, and each must have a value.
    pub async fn put_task(&self, wish: TaskWish, by: &str) -> Result<TaskRow, AppError> {
        let faults = check(&wish.definition);
        if !faults.is_empty() {
            return Err(AppError::usage(
                ManifestError::Wrong(faults).to_string(),
                "Mend the definition; docs/API.md lists its fields",
            ));
        }
        self.check_secrets(&wish).await?;
        let name = &wish.definition.name;
        let sealed = wish
            .secrets
            .iter()
            .map(|(secret, value)| {
                let sealed = self.vault.seal(&secret_row(name, secret), value)?;
                Ok((secret.clone(), sealed))
            })
            .collect::<Result<Vec<_>, AppError>>()?;
        let change = TaskChange {
            secrets: sealed,
            expected: wish.expected,
            manifest: wish.manifest,
            by: by.to_owned(),
            at: self.ports.clock.now(),
            definition: wish.definition,
        };
        let row = self.tasks.put_task(&change).await?;
        self.limit_task(&row.definition).await?;
        self.keep_triggers(&row).await;
        Ok(row)
    }

    /// Brings what starts a task in step with it. The task is stored all the same when that fails: servers compare.
    async fn keep_triggers(&self, row: &TaskRow) {
        if let Err(error) = self.keep_timers(row).await {
            tracing::error!(
                row.definition.name,
                "its timers are not in step yet: {error}"
            );
        }
        if let Err(error) = self.learn_from_task(row).await {
            tracing::error!(
                row.definition.name,
                "its base images are not known yet: {error}"
            );
        }
        if let Err(error) = self.learn_task(row).await {
            tracing::info!(
                row.definition.name,
                "what it makes is not known yet: {error}"
            );
        }
    }

    /// Deletes a task in someone's name.
    pub async fn delete_task(&self, name: &str, by: &str) -> Result<(), AppError> {
        let now = self.ports.clock.now();
        self.tasks.delete_task(name, by, now).await?;
        if let Err(error) = self.forget_timers(name).await {
            tracing::error!(name, "its timers are still there: {error}");
        }
        if let Err(error) = self.forget_bases(name).await {
            tracing::error!(name, "its base images are still watched: {error}");
        }
        if let Err(error) = self.forget_task(name).await {
            tracing::error!(name, "it is still in the fleet: {error}");
        }
        self.limit_task(&Definition::named(name)).await
    }

    async fn check_secrets(&self, wish: &TaskWish) -> Result<(), AppError> {
        let named = &wish.definition.secret_values;
        let stored = self.tasks.task_secrets(&wish.definition.name).await?;
        let has = |name: &String| {
            wish.secrets.contains_key(name) || stored.iter().any(|(it, _)| it == name)
        };
        let missing: Vec<&str> = named
            .iter()
            .filter(|it| !has(it))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            return Err(AppError::usage(
                format!("no value was ever given for secret {}", missing.join(", ")),
                format!(
                    "careen task update {} --set-secret NAME=@FILE gives one",
                    wish.definition.name
                ),
            ));
        }
        match wish.secrets.keys().find(|name| !named.contains(name)) {
            None => Ok(()),
            Some(name) => Err(AppError::usage(
                format!("secret {name} has a value, but secret_values does not name it"),
                "Name it there, or leave the value out",
            )),
        }
    }
}

/// What a sealed value of a task is bound to.
pub(super) fn secret_row(task: &str, secret: &str) -> String {
    format!("task/{task}/{secret}")
}

/// Who works on this machine's database.
pub(super) fn local_user() -> String {
    std::env::var("USER").unwrap_or_else(|_| "local".to_owned())
}

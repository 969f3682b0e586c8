//! Where stored tasks are kept, with every version they ever had.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Sealed, StoreError};
use crate::tasks::Definition;

/// A stored task as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TaskRow {
    /// What it is made of.
    pub definition: Definition,
    /// How many versions it has had; this is the last.
    pub version: u32,
    /// When its first version was stored.
    pub created_at: DateTime<Utc>,
    /// When this version was stored.
    pub updated_at: DateTime<Utc>,
    /// Who stored it.
    pub updated_by: String,
    /// The manifest file it comes from, if not from a person's hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
}

/// One version of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TaskVersion {
    /// Its number, from 1.
    pub version: u32,
    /// What the task was made of; nothing where it was deleted.
    pub definition: Option<Definition>,
    /// When it was stored.
    pub at: DateTime<Utc>,
    /// Who stored it.
    pub by: String,
}

/// What must be there for a change to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Anything or nothing.
    Any,
    /// No task of the name.
    Nothing,
    /// The task, in this version.
    Version(u32),
}

/// A new version of a task.
#[derive(Debug, Clone)]
pub struct TaskChange {
    /// What the task is made of from now on.
    pub definition: Definition,
    /// Secret values to set; those that the definition no longer names are forgotten.
    pub secrets: Vec<(String, Sealed)>,
    /// What must be there.
    pub expected: Expected,
    /// The manifest file it comes from.
    pub manifest: Option<String>,
    /// Who makes the change.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Which tasks to list.
#[derive(Debug, Clone, Default)]
pub struct TaskFilter {
    /// Only tasks after this name, for the next page.
    pub after: Option<String>,
    /// Only tasks whose name contains this.
    pub contains: Option<String>,
    /// At most so many; 0 is no limit.
    pub limit: u32,
}

/// Why stored tasks could not be read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// There is no such task.
    #[error("there is no task {0}")]
    NoSuchTask(String),
    /// The task never had this version.
    #[error("task {0} has no version {1}")]
    NoSuchVersion(String, u32),
    /// The name is taken.
    #[error("there is a task {0} already")]
    Exists(String),
    /// Someone else changed it meanwhile.
    #[error("task {task} is at version {found}, not {expected}: someone changed it meanwhile")]
    Moved {
        /// The task.
        task: String,
        /// The version that was to be changed.
        expected: u32,
        /// The version that is there.
        found: u32,
    },
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Expected {
    /// Checks what is there: the version of the task, if there is one.
    pub fn check(self, task: &str, found: Option<u32>) -> Result<(), TaskError> {
        match (self, found) {
            (Expected::Any, _) | (Expected::Nothing, None) => Ok(()),
            (Expected::Nothing, Some(_)) => Err(TaskError::Exists(task.to_owned())),
            (Expected::Version(_), None) => Err(TaskError::NoSuchTask(task.to_owned())),
            (Expected::Version(expected), Some(found)) if expected == found => Ok(()),
            (Expected::Version(expected), Some(found)) => Err(TaskError::Moved {
                task: task.to_owned(),
                expected,
                found,
            }),
        }
    }
}

/// Keeps stored tasks.
#[async_trait]
pub trait TaskStore: Send + Sync {
    /// Stores a new version; one that is equal to the last is none, but its secrets and manifest are.
    async fn put_task(&self, change: &TaskChange) -> Result<TaskRow, TaskError>;
    /// Reads one task.
    async fn task(&self, name: &str) -> Result<TaskRow, TaskError>;
    /// Lists tasks by name.
    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>, TaskError>;
    /// Deletes a task and its secrets; its versions stay, and one without a definition is added.
    async fn delete_task(&self, name: &str, by: &str, at: DateTime<Utc>) -> Result<(), TaskError>;
    /// Lists all versions of a task, newest first, also of one that was deleted.
    async fn task_versions(&self, name: &str) -> Result<Vec<TaskVersion>, TaskError>;
    /// Reads one version of a task.
    async fn task_version(&self, name: &str, version: u32) -> Result<TaskVersion, TaskError>;
    /// Reads the sealed secret values of a task, by name.
    async fn task_secrets(&self, name: &str) -> Result<Vec<(String, Sealed)>, TaskError>;
}

//! What people see of workers and tell them, on this machine's database or through a server.

use async_trait::async_trait;

use super::{App, AppError};
use crate::ports::{WorkerRow, WorkerState};

/// Where workers are looked at, and told to take runs or not.
#[async_trait]
pub trait WorkerDesk: Send + Sync {
    /// Lists the workers, by name.
    async fn workers(&self) -> Result<Vec<WorkerRow>, AppError>;
    /// Lets a worker take runs, or keeps it from it.
    async fn set_worker(&self, name: &str, state: WorkerState) -> Result<(), AppError>;
}

#[async_trait]
impl WorkerDesk for App {
    async fn workers(&self) -> Result<Vec<WorkerRow>, AppError> {
        Ok(self.workers.workers().await?)
    }

    async fn set_worker(&self, name: &str, state: WorkerState) -> Result<(), AppError> {
        if self.workers.set_worker(name, state).await? {
            return Ok(());
        }
        Err(AppError::usage(
            format!("there is no worker called {name}"),
            "careen worker list names those that were heard of",
        ))
    }
}

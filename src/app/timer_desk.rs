//! What people see of timers, on this machine's database or through a server.

use async_trait::async_trait;

use super::{App, AppError};
use crate::ports::{Occurrence, Timer};

/// Where timers are looked at; they are changed with their tasks.
#[async_trait]
pub trait TimerDesk: Send + Sync {
    /// Lists the timers of a task, or of all.
    async fn timers_of(&self, task: Option<&str>) -> Result<Vec<Timer>, AppError>;
    /// Lists what was decided about a task's timers, latest first.
    async fn occurrences_of(&self, task: &str, limit: u32) -> Result<Vec<Occurrence>, AppError>;
}

#[async_trait]
impl TimerDesk for App {
    async fn timers_of(&self, task: Option<&str>) -> Result<Vec<Timer>, AppError> {
        Ok(self.timers.timers(task).await?)
    }

    async fn occurrences_of(&self, task: &str, limit: u32) -> Result<Vec<Occurrence>, AppError> {
        Ok(self.timers.occurrences(task, limit).await?)
    }
}

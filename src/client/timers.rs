//! Timers of a server.

use async_trait::async_trait;
use reqwest::Method;

use super::Client;
use crate::{
    app::{AppError, TimerDesk},
    ports::{Occurrence, Timer},
};

#[async_trait]
impl TimerDesk for Client {
    async fn timers_of(&self, task: Option<&str>) -> Result<Vec<Timer>, AppError> {
        let parameters = [("task", task.map(str::to_owned))];
        self.ask(self.request_with(Method::GET, &["timers"], &parameters))
            .await
    }

    async fn occurrences_of(&self, task: &str, limit: u32) -> Result<Vec<Occurrence>, AppError> {
        let parameters = [("limit", Some(limit.to_string()))];
        let path = ["tasks", task, "occurrences"];
        self.ask(self.request_with(Method::GET, &path, &parameters))
            .await
    }
}

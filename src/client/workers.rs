//! Workers of a server.

use async_trait::async_trait;
use reqwest::Method;

use super::Client;
use crate::{
    app::{AppError, WorkerDesk},
    ports::{WorkerRow, WorkerState},
};

#[async_trait]
impl WorkerDesk for Client {
    async fn workers(&self) -> Result<Vec<WorkerRow>, AppError> {
        self.ask(self.request(Method::GET, &["workers"])).await
    }

    async fn set_worker(&self, name: &str, state: WorkerState) -> Result<(), AppError> {
        let verb = match state {
            WorkerState::Active => "resume",
            WorkerState::Draining => "drain",
        };
        let request = self.request(Method::POST, &["workers", name, verb]);
        self.send(request).await.map(drop)
    }
}

//! Base images, as a server knows them.

use async_trait::async_trait;
use reqwest::Method;

use super::Client;
use crate::{
    app::{AppError, BaseDesk},
    ports::{BaseDecision, BaseRow, Watch},
};

#[async_trait]
impl BaseDesk for Client {
    async fn bases_of(&self, task: Option<&str>) -> Result<Vec<BaseRow>, AppError> {
        let parameters = [("task", task.map(str::to_owned))];
        let request = self.request_with(Method::GET, &["bases"], &parameters);
        self.ask(request).await
    }

    async fn watches_of(&self, task: Option<&str>) -> Result<Vec<Watch>, AppError> {
        let parameters = [("task", task.map(str::to_owned))];
        let request = self.request_with(Method::GET, &["bases", "watches"], &parameters);
        self.ask(request).await
    }

    async fn base_decisions_of(
        &self,
        task: Option<&str>,
        limit: u32,
    ) -> Result<Vec<BaseDecision>, AppError> {
        let parameters = [
            ("task", task.map(str::to_owned)),
            ("limit", Some(limit.to_string())),
        ];
        let request = self.request_with(Method::GET, &["bases", "decisions"], &parameters);
        self.ask(request).await
    }
}

//! The fleet of a server.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::Value;

use super::Client;
use crate::{
    app::{AppError, FleetDesk, GraphFormat, RolloutChange, RolloutView, RolloutWish, WhyView},
    fleet::{Estimate, Report},
};

#[async_trait]
impl FleetDesk for Client {
    async fn graph_of(
        &self,
        format: GraphFormat,
        around: Option<(&str, usize)>,
    ) -> Result<String, AppError> {
        let parameters = [
            ("format", Some(format.as_str().to_owned())),
            ("around", around.map(|it| it.0.to_owned())),
            ("most", around.map(|it| it.1.to_string())),
        ];
        let request = self.request_with(Method::GET, &["fleet", "graph"], &parameters);
        let response = self.send(request).await?;
        let text = response.text().await;
        text.map_err(|error| self.unreachable(&error))
    }

    async fn status_of(&self, all: bool) -> Result<Vec<Value>, AppError> {
        let parameters = [("all", Some(all.to_string()))];
        let request = self.request_with(Method::GET, &["fleet", "status"], &parameters);
        self.ask(request).await
    }

    async fn plan_of(
        &self,
        bases: &[String],
        max_parallel: Option<u32>,
    ) -> Result<Estimate, AppError> {
        let parameters = [
            ("bases", (!bases.is_empty()).then(|| bases.join(","))),
            ("max_parallel", max_parallel.map(|it| it.to_string())),
        ];
        let request = self.request_with(Method::GET, &["fleet", "plan"], &parameters);
        self.ask(request).await
    }

    async fn report_of(&self, since: Option<DateTime<Utc>>) -> Result<Report, AppError> {
        let parameters = [("since", since.map(|it| it.to_rfc3339()))];
        let request = self.request_with(Method::GET, &["fleet", "report"], &parameters);
        self.ask(request).await
    }

    async fn why_of(&self, word: &str) -> Result<WhyView, AppError> {
        let parameters = [("of", Some(word.to_owned()))];
        let request = self.request_with(Method::GET, &["fleet", "why"], &parameters);
        self.ask(request).await
    }

    async fn begin(&self, wish: &RolloutWish) -> Result<RolloutView, AppError> {
        let request = self.request(Method::POST, &["rollouts"]).json(wish);
        self.ask(request).await
    }

    async fn rollouts_of(&self, only_open: bool, limit: u32) -> Result<Vec<RolloutView>, AppError> {
        let parameters = [
            ("open", Some(only_open.to_string())),
            ("limit", Some(limit.to_string())),
        ];
        let request = self.request_with(Method::GET, &["rollouts"], &parameters);
        self.ask(request).await
    }

    async fn rollout_of(&self, id: &str) -> Result<RolloutView, AppError> {
        self.ask(self.request(Method::GET, &["rollouts", id])).await
    }

    async fn change_of(&self, id: &str, change: RolloutChange) -> Result<RolloutView, AppError> {
        let (verb, retry) = match change {
            RolloutChange::Pause => ("pause", false),
            RolloutChange::Resume { retry } => ("resume", retry),
            RolloutChange::Cancel => ("cancel", false),
        };
        let parameters = [("retry", retry.then(|| "true".to_owned()))];
        let request = self.request_with(Method::POST, &["rollouts", id, verb], &parameters);
        self.ask(request).await
    }
}

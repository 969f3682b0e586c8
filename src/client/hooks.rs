//! Deliveries of a server, and approvals.

use reqwest::Method;
use secrecy::SecretString;

use super::Client;
use crate::{
    app::{AppError, SourceView},
    ports::{Decision, Delivery, DeliveryFilter, Rejection},
    server::{Page, PutSource, SetSource},
};

impl Client {
    /// Lists deliveries, newest first.
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>, AppError> {
        let parameters = [("limit", Some(filter.limit.clamp(1, 500).to_string()))];
        let request = self.request_with(Method::GET, &["hooks"], &parameters);
        let page: Page<Delivery> = self.ask(request).await?;
        Ok(page.items)
    }

    /// Reads one delivery.
    pub async fn delivery(&self, number: u64) -> Result<Delivery, AppError> {
        let number = number.to_string();
        self.ask(self.request(Method::GET, &["hooks", &number]))
            .await
    }

    /// Has a delivery decided again.
    pub async fn replay_delivery(&self, number: u64) -> Result<Decision, AppError> {
        let number = number.to_string();
        let request = self.request(Method::POST, &["hooks", &number, "replay"]);
        self.ask(request).await
    }

    /// Lists deliveries that were refused.
    pub async fn rejections(&self) -> Result<Vec<Rejection>, AppError> {
        self.ask(self.request(Method::GET, &["hooks", "rejected"]))
            .await
    }

    /// Lists who may deliver.
    pub async fn hook_sources(&self) -> Result<Vec<SourceView>, AppError> {
        self.ask(self.request(Method::GET, &["hooks", "sources"]))
            .await
    }

    /// Sets who may deliver; returns the secret if the server drew it.
    pub async fn put_hook_source(
        &self,
        name: &str,
        source: &PutSource,
    ) -> Result<Option<SecretString>, AppError> {
        let request = self.request(Method::PUT, &["hooks", "sources", name]);
        let set: SetSource = self.ask(request.json(source)).await?;
        Ok(set.secret.map(SecretString::from))
    }

    /// Lets a source deliver no more.
    pub async fn remove_hook_source(&self, name: &str) -> Result<(), AppError> {
        let request = self.request(Method::DELETE, &["hooks", "sources", name]);
        self.send(request).await.map(drop)
    }

    /// Lets a run go that waits for approval.
    pub async fn approve(&self, run: &str) -> Result<(), AppError> {
        let request = self.request(Method::POST, &["runs", run, "approve"]);
        self.send(request).await.map(drop)
    }
}

//! Deliveries of code hosts, decisions, sources and reports.

mod accept;
mod approvals;
mod decide;
mod heads;
mod reports;
mod rows;
mod sources;

use std::time::Duration;

use async_trait::async_trait;

use super::SqliteStore;
use crate::ports::{
    Decision, Deliveries, Delivery, DeliveryFilter, HookSource, NewDelivery, Rejection, Report,
    StoreError, Verdict,
};

pub(super) use approvals::hold;

/// Milliseconds since 1970 by the database's clock.
const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

#[async_trait]
impl Deliveries for SqliteStore {
    async fn accept(&self, deliveries: &[NewDelivery]) -> Result<Vec<bool>, StoreError> {
        accept::accept(self, deliveries).await
    }

    async fn reject(&self, rejection: &Rejection) -> Result<(), StoreError> {
        accept::reject(self, rejection).await
    }

    async fn rejections(&self, limit: u32) -> Result<Vec<Rejection>, StoreError> {
        accept::rejections(self, limit).await
    }

    async fn undecided(&self, limit: u32, hold: Duration) -> Result<Vec<Delivery>, StoreError> {
        rows::take_undecided(self, limit, hold).await
    }

    async fn decide(&self, verdict: &Verdict) -> Result<Decision, StoreError> {
        self.waking(decide::decide(self, verdict).await)
    }

    async fn knows_head(
        &self,
        scope: &str,
        repository: &str,
        reference: &str,
    ) -> Result<bool, StoreError> {
        heads::knows(self, scope, repository, reference).await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        rows::list(self, filter).await
    }

    async fn delivery(&self, number: u64) -> Result<Option<Delivery>, StoreError> {
        rows::one(self, number).await
    }

    async fn count_replay(&self, number: u64) -> Result<u32, StoreError> {
        rows::count_replay(self, number).await
    }

    async fn put_source(&self, source: &HookSource) -> Result<(), StoreError> {
        sources::put(self, source).await
    }

    async fn reseal_source(&self, from: &HookSource, to: &HookSource) -> Result<bool, StoreError> {
        sources::reseal(self, from, to).await
    }

    async fn remove_source(&self, name: &str) -> Result<bool, StoreError> {
        sources::remove(self, name).await
    }

    async fn sources(&self) -> Result<Vec<HookSource>, StoreError> {
        sources::list(self).await
    }

    async fn due_reports(&self, limit: u32, hold: Duration) -> Result<Vec<Report>, StoreError> {
        reports::take_due(self, limit, hold).await
    }

    async fn reported(&self, report: &Report, again_after: Duration) -> Result<(), StoreError> {
        reports::told(self, report, again_after).await
    }

    async fn approve(&self, run: &str, by: &str) -> Result<bool, StoreError> {
        self.waking(approvals::approve(self, run, by).await)
    }
}

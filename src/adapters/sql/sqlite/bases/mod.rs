//! What is known of base images: who stands on them, what is looked at, what was seen and decided.

mod decisions;
mod kept;
mod watches;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::SqliteStore;
use crate::ports::{
    BaseDecision, BaseRow, Bases, Enqueued, Looked, NewBase, NewDecision, NewRun, Observation,
    Placement, StoreError, Watch,
};

#[async_trait]
impl Bases for SqliteStore {
    async fn put_bases(
        &self,
        task: &str,
        bases: &[NewBase],
        learned: (&str, DateTime<Utc>),
    ) -> Result<(), StoreError> {
        kept::put(self, task, bases, learned).await
    }

    async fn bases(&self, task: Option<&str>) -> Result<Vec<BaseRow>, StoreError> {
        kept::list(self, task).await
    }

    async fn bases_on(&self, key: &str) -> Result<Vec<BaseRow>, StoreError> {
        kept::on(self, key).await
    }

    async fn watches(&self, task: Option<&str>) -> Result<Vec<Watch>, StoreError> {
        watches::list(self, task).await
    }

    async fn claim_watches(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Watch>, StoreError> {
        watches::claim(self, now, held_until, limit).await
    }

    async fn looked(&self, looks: &[Looked]) -> Result<(), StoreError> {
        watches::looked(self, looks).await
    }

    async fn look_now(
        &self,
        repository: &str,
        tag: &str,
        prompt: (&str, DateTime<Utc>),
    ) -> Result<u64, StoreError> {
        watches::look_now(self, repository, tag, prompt).await
    }

    async fn observe(
        &self,
        observation: &Observation,
        decisions: &[NewDecision],
    ) -> Result<bool, StoreError> {
        decisions::observe(self, observation, decisions).await
    }

    async fn decisions(
        &self,
        task: Option<&str>,
        limit: u32,
    ) -> Result<Vec<BaseDecision>, StoreError> {
        decisions::list(self, task, limit).await
    }

    async fn due_moves(&self, now: DateTime<Utc>) -> Result<Vec<BaseDecision>, StoreError> {
        decisions::due(self, now).await
    }

    async fn start_moved(
        &self,
        decisions: &[i64],
        run: &NewRun,
        place: &Placement,
    ) -> Result<Option<Enqueued>, StoreError> {
        decisions::start(self, decisions, run, place).await
    }

    async fn take_back(&self, decisions: &[i64], reason: &str) -> Result<(), StoreError> {
        decisions::take_back(self, decisions, reason).await
    }
}

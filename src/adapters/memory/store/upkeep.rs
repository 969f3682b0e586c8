//! What of the past may go; nothing in memory is worth a copy.

use std::path::Path;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use crate::ports::{EndedRun, EndedTotals, StoreError, Upkeep};

#[async_trait]
impl Upkeep for MemoryStore {
    async fn ended_runs(
        &self,
        before: Option<DateTime<Utc>>,
        limit: u32,
    ) -> Result<Vec<EndedRun>, StoreError> {
        let ended = self.ended().into_iter();
        let ended = ended.filter(|run| before.is_none_or(|before| run.ended_at < before));
        Ok(ended.take(limit as usize).collect())
    }

    async fn ended_totals(&self) -> Result<EndedTotals, StoreError> {
        Ok(EndedTotals {
            runs: self.ended().len() as u64,
            log_bytes: 0,
        })
    }

    async fn forget_facts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let deliveries = self.forget_deliveries(before);
        let mut runs = self.lock();
        let decided = runs.timers.forget(before) + runs.bases.forget(before);
        let rollouts = runs.fleet.forget_rollouts(before);
        Ok((deliveries + decided + rollouts) as u64)
    }

    async fn dump(&self, _: &Path) -> Result<(), StoreError> {
        Err(forgetful())
    }

    async fn restore(&self, _: &Path) -> Result<(), StoreError> {
        Err(forgetful())
    }
}

impl MemoryStore {
    fn ended(&self) -> Vec<EndedRun> {
        let runs = self.lock();
        let ended = runs.by_number.values().map(|run| &run.row);
        let ended = ended.filter(|row| row.status.is_ended());
        let run = |row: &crate::ports::RunRow| EndedRun {
            id: row.id.clone(),
            ended_at: row.ended_at.unwrap_or(row.created_at),
            log_bytes: 0,
        };
        ended.map(run).collect()
    }
}

fn forgetful() -> StoreError {
    StoreError::Database("a store in memory is neither copied nor restored".to_owned())
}

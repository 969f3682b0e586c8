//! The upkeep of a store: what of the past may go, and copies of all that is recorded.

use std::{io, path::Path};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;

/// A run that has ended, as the choice of what goes sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedRun {
    /// The run's id.
    pub id: String,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// What its logs take, compressed as they are kept.
    pub log_bytes: u64,
}

/// All runs that have ended, taken together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EndedTotals {
    /// How many there are.
    pub runs: u64,
    /// What all logs take, those of runs under way included.
    pub log_bytes: u64,
}

/// Keeps a store in order.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Lists runs that have ended, the first that was queued first; with a time, only those that ended before it.
    async fn ended_runs(
        &self,
        before: Option<DateTime<Utc>>,
        limit: u32,
    ) -> Result<Vec<EndedRun>, StoreError>;
    /// Adds up the runs that have ended.
    async fn ended_totals(&self) -> Result<EndedTotals, StoreError>;
    /// Forgets facts from before a moment with what was decided about them: deliveries, times of timers, moves of base
    /// images, and rollouts that are over. What waits for a decision or for its run stays. Says how many went.
    async fn forget_facts(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;
    /// Writes all that is recorded, as it was at one moment, into an empty folder; others go on writing meanwhile.
    async fn dump(&self, into: &Path) -> Result<(), StoreError>;
    /// Puts a dump in the place of all that is recorded, in one transaction.
    async fn restore(&self, from: &Path) -> Result<(), StoreError>;
}

/// Tells how full disks are.
pub trait Disk: Send + Sync {
    /// How many bytes can still be written below a folder, which may be yet to be made.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;
}

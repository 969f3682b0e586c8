//! The queues of runs: who decides locks what the decision stands on.

mod cancels;
mod claims;
mod ends;
mod enqueue;
mod lanes;
mod limits;
mod places;
mod slots;
mod wishes;

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::{PostgresStore, errors::again_on_deadlock};
use crate::ports::{
    CancelRequest, Cancellation, Claim, Claimed, Enqueued, Lease, LimitRow, LimitScope, NewRun,
    Place, Placement, Queue, QueueDepth, RunRow, StatusCount, StoreError, TakenOver,
};

pub(super) use enqueue::enqueue_in;
pub(super) use slots::free;
pub(super) use wishes::Wish;

#[async_trait]
impl Queue for PostgresStore {
    async fn enqueue(&self, run: &NewRun, place: &Placement) -> Result<Enqueued, StoreError> {
        self.waking(again_on_deadlock(|| enqueue::enqueue(self, run, place)).await)
    }

    async fn claim(&self, claim: &Claim) -> Result<Option<Claimed>, StoreError> {
        again_on_deadlock(|| claims::claim(self, claim)).await
    }

    async fn take_over(
        &self,
        claim: &Claim,
        grace: Duration,
    ) -> Result<Option<TakenOver>, StoreError> {
        again_on_deadlock(|| claims::take_over(self, claim, grace)).await
    }

    async fn reclaim(&self, claim: &Claim) -> Result<Vec<TakenOver>, StoreError> {
        again_on_deadlock(|| claims::reclaim(self, claim)).await
    }

    async fn hand_over(&self, lease: &Lease, grace: Duration) -> Result<(), StoreError> {
        self.waking(claims::hand_over(self, lease, grace).await)
    }

    async fn requeue(&self, lease: &Lease) -> Result<(), StoreError> {
        self.waking(again_on_deadlock(|| claims::requeue(self, lease)).await)
    }

    async fn cancel(&self, run: &str, reason: &str) -> Result<Cancellation, StoreError> {
        self.waking(again_on_deadlock(|| cancels::cancel(self, run, reason)).await)
    }

    async fn cancel_requests(&self, owner: &str) -> Result<Vec<CancelRequest>, StoreError> {
        cancels::requests(self, owner).await
    }

    async fn place(&self, run: &str) -> Result<Option<Place>, StoreError> {
        places::place(self, run).await
    }

    async fn line(&self, pool: &str, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        places::line(self, pool, limit).await
    }

    async fn set_limit(&self, scope: &LimitScope, allowed: Option<u32>) -> Result<(), StoreError> {
        self.waking(again_on_deadlock(|| limits::set(self, scope, allowed)).await)
    }

    async fn limits(&self) -> Result<Vec<LimitRow>, StoreError> {
        limits::list(self).await
    }

    async fn depths(&self) -> Result<Vec<QueueDepth>, StoreError> {
        places::depths(self).await
    }

    async fn unfinished(&self) -> Result<Vec<StatusCount>, StoreError> {
        places::unfinished(self).await
    }

    async fn take_ends(&self, hold: Duration, limit: u32) -> Result<Vec<String>, StoreError> {
        ends::take(self, hold, limit).await
    }

    async fn forget_end(&self, run: &str) -> Result<(), StoreError> {
        ends::forget(self, run).await
    }

    async fn untold_ends(&self) -> Result<u64, StoreError> {
        ends::count(self).await
    }

    fn wake_ups(&self) -> watch::Receiver<u64> {
        self.bell.queue()
    }
}

impl PostgresStore {
    /// Wakes workers after something was written.
    pub(super) fn waking<T>(&self, written: Result<T, StoreError>) -> Result<T, StoreError> {
        if written.is_ok() {
            self.bell.queue_changed();
        }
        written
    }
}

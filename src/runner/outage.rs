//! Outlasts a database, and an object store, that cannot be reached, for as long as the run is this worker's.

use std::{sync::Arc, time::Duration};

use tokio::time::{sleep, timeout_at};

use super::lease::Deadline;
use crate::ports::{Batch, Frame, FrameStore, Lease, LogKey, RunStore, StoreError};

/// How long until it is tried again.
const AGAIN: Duration = Duration::from_millis(300);

/// Writes that one lease allows.
pub(super) struct Outage {
    pub deadline: Arc<Deadline>,
    pub run: String,
}

impl Outage {
    /// Records a batch. One that was recorded, though the answer was lost on its way, is not recorded twice.
    pub async fn record(
        &self,
        store: &dyn RunStore,
        lease: &Lease,
        batch: &Batch,
    ) -> Result<(), StoreError> {
        let mut is_in_doubt = false;
        loop {
            let tried = async {
                if is_in_doubt && is_recorded(store, lease, batch).await? {
                    return Ok(());
                }
                store.record(lease, batch).await
            };
            match self.within(tried).await {
                Err(StoreError::Unreachable(why)) => self.wait(&why).await?,
                done => return done,
            }
            is_in_doubt = true;
        }
    }

    /// Stores frames of logs; those that were stored, though the answer was lost on its way, are not stored twice.
    pub async fn append(
        &self,
        store: &dyn FrameStore,
        mut frames: Vec<(LogKey, Frame)>,
    ) -> Result<(), StoreError> {
        let mut is_in_doubt = false;
        loop {
            if is_in_doubt {
                match self.within(unstored(store, &frames)).await {
                    Ok(rest) => frames = rest,
                    Err(StoreError::Unreachable(why)) => {
                        self.wait(&why).await?;
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
            match self.within(store.append(frames.clone())).await {
                Err(StoreError::Unreachable(why)) => self.wait(&why).await?,
                Err(StoreError::Objects(error)) if error.is_passing => {
                    self.wait(&error.to_string()).await?;
                }
                done => return done,
            }
            is_in_doubt = true;
        }
    }

    /// Waits for an answer until the deadline.
    async fn within<T>(
        &self,
        asked: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match timeout_at(self.deadline.at(), asked).await {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::Unreachable("it does not answer".to_owned())),
        }
    }

    async fn wait(&self, why: &str) -> Result<(), StoreError> {
        if self.deadline.is_over() {
            return Err(StoreError::LeaseLost(self.run.clone()));
        }
        tracing::warn!(run = self.run, "could not write, and tries again: {why}");
        sleep(AGAIN).await;
        Ok(())
    }
}

async fn is_recorded(
    store: &dyn RunStore,
    lease: &Lease,
    batch: &Batch,
) -> Result<bool, StoreError> {
    let Some(last) = batch.events.last() else {
        return Ok(false);
    };
    let recorded = store.events(&lease.run, lease.generation).await?;
    Ok(recorded.last().is_some_and(|event| event.seq >= last.seq))
}

/// The frames that come after what is stored of their logs.
async fn unstored(
    store: &dyn FrameStore,
    frames: &[(LogKey, Frame)],
) -> Result<Vec<(LogKey, Frame)>, StoreError> {
    let mut rest = Vec::new();
    for (key, frame) in frames {
        let last = store.last(key).await?;
        if last.is_none_or(|last| last.first_line < frame.first_line) {
            rest.push((key.clone(), frame.clone()));
        }
    }
    Ok(rest)
}

//! What a memory store was told to do wrong.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use tokio::sync::watch;

use crate::ports::StoreError;

/// Faults of the calls that write.
#[derive(Debug)]
pub(super) struct Faults {
    failures: AtomicU32,
    error: Mutex<StoreError>,
    stalled: watch::Sender<bool>,
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            failures: AtomicU32::new(0),
            error: Mutex::new(StoreError::DiskFull),
            stalled: watch::Sender::new(false),
        }
    }
}

impl Faults {
    /// Lets the next `count` writes fail with this error.
    pub(super) fn fail_next(&self, count: u32, error: StoreError) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = error;
        self.failures.store(count, Ordering::SeqCst);
    }

    /// Lets every write wait until this is called with `false`.
    pub(super) fn stall(&self, stalled: bool) {
        self.stalled.send_replace(stalled);
    }

    /// Waits while stalled, then fails if told so.
    pub(super) async fn meet(&self) -> Result<(), StoreError> {
        if *self.stalled.borrow() {
            // The sender lives as long as `self`, so the wait ends only when nothing is stalled.
            let _ = self.stalled.subscribe().wait_for(|stalled| !stalled).await;
        }
        let left = |n: u32| n.checked_sub(1);
        match self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, left)
        {
            Ok(_) => Err(self
                .error
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()),
            Err(_) => Ok(()),
        }
    }
}

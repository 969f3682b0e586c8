//! What others want of a run that is under way.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Ways to stop driving a run.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    cancel: CancellationToken,
    reason: Arc<OnceLock<String>>,
    hand_over: CancellationToken,
}

impl From<CancellationToken> for Wishes {
    fn from(cancel: CancellationToken) -> Self {
        Wishes {
            cancel,
            ..Wishes::default()
        }
    }
}

impl Wishes {
    /// Wants the run canceled; the first reason counts.
    pub fn cancel(&self, reason: &str) {
        let _ = self.reason.set(reason.to_owned());
        self.cancel.cancel();
    }

    /// Wants the run left as it is, its containers running, for another to go on.
    pub fn hand_over(&self) {
        self.hand_over.cancel();
    }

    /// Waits for the wish to cancel and returns the reason.
    pub(super) async fn canceled(&self) -> String {
        self.cancel.cancelled().await;
        let reason = self.reason.get().cloned();
        reason.unwrap_or_else(|| "canceled by the user".to_owned())
    }

    /// Waits for the wish to hand over.
    pub(super) async fn handed_over(&self) {
        self.hand_over.cancelled().await;
    }
}

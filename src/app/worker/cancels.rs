//! Heeds wishes to cancel a run that a process drives by itself.

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    ports::{Lease, Queue},
    runner::Wishes,
};

/// How often they are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// Passes wishes to cancel on, for as long as it is polled.
pub(in super::super) async fn heed_cancel(
    queue: Arc<dyn Queue>,
    lease: Lease,
    wishes: Wishes,
) -> Infallible {
    loop {
        sleep(LOOK).await;
        match queue.cancel_requests(&lease.owner).await {
            Ok(requests) => {
                if let Some(wish) = requests.iter().find(|wish| wish.run == lease.run) {
                    wishes.cancel(&wish.reason);
                }
            }
            Err(error) => tracing::warn!(%error, "could not look for wishes to cancel"),
        }
    }
}

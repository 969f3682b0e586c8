//! Keeps the claim on the run alive, and gives up in time when that fails.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::dispatch::{Env, Input};
use crate::ports::StoreError;

/// How long a lease lasts from its last renewal.
pub const LEASE: Duration = Duration::from_secs(60);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(15);
/// How long before its end the worker stops by itself, so that it is still before anyone may take over.
const MARGIN: Duration = Duration::from_secs(10);

/// Renews until the lease is lost or its own deadline has passed; the deadline counts from when the last successful
/// renewal was sent, by a clock that does not jump.
pub(super) async fn keep(env: Arc<Env>) {
    let mut sent = Instant::now();
    loop {
        tokio::time::sleep(RENEWAL).await;
        let now = Instant::now();
        let deadline = sent + LEASE - MARGIN;
        let renewal = env.ports.store.renew(&env.job.lease, LEASE);
        match tokio::time::timeout_at(deadline, renewal).await {
            Ok(Ok(())) => sent = now,
            Ok(Err(error @ StoreError::LeaseLost(_))) => {
                return env.inbox.send(Input::LeaseLost(error));
            }
            Ok(Err(error)) if Instant::now() < deadline => {
                tracing::warn!(%error, "could not renew the lease; trying again");
            }
            Ok(Err(_)) | Err(_) => {
                let run = env.job.run.id.clone();
                return env.inbox.send(Input::LeaseLost(StoreError::LeaseLost(run)));
            }
        }
    }
}

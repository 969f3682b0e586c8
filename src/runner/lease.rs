//! Keeps the claim on the run alive, and gives up in time when that fails.

use std::{
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::{sync::watch, time::Instant};

use super::{
    dispatch::{Env, Input},
    outage::Outage,
};
use crate::ports::{Frame, FrameIndex, FrameStore, Lease, LogKey, LogSummary, StoreError};

/// How long a lease lasts from its last renewal, unless something else is set.
pub const LEASE: Duration = Duration::from_secs(60);
/// A lease is renewed this often in its time.
const RENEWALS: u32 = 4;
/// All leases of a process are renewed at the same beats, so that one statement renews many; but no lease so soon after
/// it was given that runs which take no time would pay for it.
const TOO_SOON: u32 = 4;
/// What beats are counted from.
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
/// It is tried so often in that time once a renewal has failed.
const TRIES: u32 = 60;
/// The part of its time before its end at which the worker stops by itself: it must be still before anyone may take
/// the run over.
const MARGIN: u32 = 6;

/// The moment after which this process may start and write nothing more, by a clock that does not jump.
#[derive(Debug)]
pub(super) struct Deadline {
    at: Mutex<Instant>,
}

impl Deadline {
    /// The deadline of a lease that was asked for at this moment.
    pub fn new(lease: &Lease, sent: Instant) -> Deadline {
        let at = Mutex::new(moment(lease, sent));
        Deadline { at }
    }

    /// Says whether it has passed.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.at()
    }

    /// When it passes.
    pub fn at(&self) -> Instant {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_off(&self, lease: &Lease, sent: Instant) {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = moment(lease, sent);
    }
}

fn moment(lease: &Lease, sent: Instant) -> Instant {
    sent + lease.time - lease.time / MARGIN
}

/// Renews until the lease is lost or its own deadline has passed; the deadline counts from when the last successful
/// renewal was sent.
pub(super) async fn keep(env: Arc<Env>) {
    let lease = &env.job.lease;
    let mut pause = until_beat(BEGUN.elapsed(), lease.time / RENEWALS);
    loop {
        tokio::time::sleep(pause).await;
        let sent = Instant::now();
        let deadline = env.deadline.at();
        let renewal = env.ports.store.renew(lease, lease.time);
        match tokio::time::timeout_at(deadline, renewal).await {
            Ok(Ok(())) => {
                env.deadline.put_off(lease, sent);
                pause = until_beat(BEGUN.elapsed(), lease.time / RENEWALS);
            }
            Ok(Err(error @ StoreError::LeaseLost(_))) => {
                return env.inbox.send(Input::LeaseLost(error));
            }
            Ok(Err(error)) if Instant::now() < deadline => {
                tracing::warn!(%error, "could not renew the lease; trying again");
                pause = lease.time / TRIES;
            }
            Ok(Err(_)) | Err(_) => return env.inbox.send(lost(&env)),
        }
    }
}

/// How long it is until the next beat that is not too soon, so long after all beats began.
fn until_beat(since: Duration, interval: Duration) -> Duration {
    let nanos = since.as_nanos() % interval.as_nanos().max(1);
    let pause = interval - Duration::from_nanos(u64::try_from(nanos).unwrap_or_default());
    match pause < interval / TOO_SOON {
        true => pause + interval,
        false => pause,
    }
}

/// The message that the lease is gone.
pub(super) fn lost(env: &Env) -> Input {
    Input::LeaseLost(StoreError::LeaseLost(env.job.run.id.clone()))
}

/// Says whether what this process has started is still its own to remove: not once another has taken the run over on
/// the same engine, for then the containers are that one's.
pub(super) async fn may_remove(env: &Env) -> bool {
    let lease = &env.job.lease;
    // Nobody can have taken it over before the lease has run out, and there is no time to lose.
    let is_still_held = || Instant::now() < env.deadline.at() + lease.time / MARGIN;
    if env.deadline.is_over() && is_still_held() {
        return true;
    }
    let asked = env.ports.store.run(&lease.run);
    match tokio::time::timeout(lease.time / MARGIN / 2, asked).await {
        Ok(Ok(run)) => {
            let is_anothers = run.owner.as_ref() != Some(&lease.owner);
            run.generation != lease.generation || run.status.is_ended() || !is_anothers
        }
        Ok(Err(StoreError::NoSuchRun(_))) => true,
        Ok(Err(_)) | Err(_) => is_still_held(),
    }
}

/// Log frames that are written only as long as the lease may hold.
pub(super) struct FencedFrames {
    /// Where they are written.
    pub frames: Arc<dyn FrameStore>,
    /// Until when, whatever the database is like meanwhile.
    pub outage: Outage,
}

#[async_trait]
impl FrameStore for FencedFrames {
    async fn append(&self, frames: Vec<(LogKey, Frame)>) -> Result<(), StoreError> {
        if self.outage.deadline.is_over() {
            let run = frames.first().map(|(key, _)| key.run.clone());
            return Err(StoreError::LeaseLost(run.unwrap_or_default()));
        }
        self.outage.append(self.frames.as_ref(), frames).await
    }

    async fn index(
        &self,
        key: &LogKey,
        first_line: u64,
        limit: u32,
    ) -> Result<Vec<FrameIndex>, StoreError> {
        self.frames.index(key, first_line, limit).await
    }

    async fn read(&self, key: &LogKey, frame: &FrameIndex) -> Result<Bytes, StoreError> {
        self.frames.read(key, frame).await
    }

    async fn last(&self, key: &LogKey) -> Result<Option<FrameIndex>, StoreError> {
        self.frames.last(key).await
    }

    async fn logs(&self, run: &str) -> Result<Vec<LogSummary>, StoreError> {
        self.frames.logs(run).await
    }

    async fn remove(&self, run: &str) -> Result<(), StoreError> {
        self.frames.remove(run).await
    }

    fn changes(&self, run: &str) -> watch::Receiver<u64> {
        self.frames.changes(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewals_of_all_leases_meet_none_too_soon_and_none_too_late() {
        let interval = Duration::from_secs(15);
        for moment in (0..60_000).step_by(130) {
            let since = Duration::from_millis(moment);
            let pause = until_beat(since, interval);
            assert!(pause >= interval / TOO_SOON, "{pause:?} after {since:?}");
            // Half of a lease is left for a database that is away.
            let deadline = LEASE - LEASE / MARGIN;
            assert!(deadline - pause >= LEASE / 2, "{pause:?} after {since:?}");
            let beat = (since + pause).as_secs_f64() / interval.as_secs_f64();
            assert!((beat - beat.round()).abs() < 1e-9, "{beat} after {since:?}");
        }
    }
}

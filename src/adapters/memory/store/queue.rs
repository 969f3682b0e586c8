//! The queues of a store in memory: every claim looks at all runs, so nobody has to be woken.

use std::{cmp::Reverse, time::Duration};

use async_trait::async_trait;
use tokio::{sync::watch, time::Instant};

use super::{
    run::StoredRun,
    runs::{MemoryStore, Runs, held},
};
use crate::{
    engine::RunStatus,
    ports::{
        CancelRequest, Cancellation, Claim, Claimed, Enqueued, GroupPolicy, Lease, LimitRow,
        LimitScope, NEAR, Needs, NewRun, Place, Placement, Queue, QueueDepth, RunRow, StatusCount,
        StoreError, TakenOver,
    },
};

impl StoredRun {
    fn is_in(&self, pool: &str) -> bool {
        self.row
            .placement
            .as_ref()
            .is_some_and(|place| place.pool == pool)
    }

    /// Says whether its end is still to be told.
    fn is_untold(&self) -> bool {
        self.row.placement.is_some() && self.row.ended_at.is_some() && !self.is_told
    }

    fn scopes(&self) -> Vec<LimitScope> {
        self.row
            .placement
            .as_ref()
            .map(LimitScope::of)
            .unwrap_or_default()
    }

    fn needs(&self) -> Needs {
        let place = self.row.placement.as_ref();
        place.map(|place| place.needs.clone()).unwrap_or_default()
    }

    /// Says whether a person must approve it first.
    fn is_held(&self) -> bool {
        let trigger = self.row.trigger.as_ref();
        trigger.is_some_and(|it| it.needs_approval)
    }

    fn group(&self) -> Option<&str> {
        Some(&self.row.placement.as_ref()?.group.as_ref()?.name)
    }

    /// Says whether a worker has it, or had it and was lost.
    pub(super) fn is_under_way(&self) -> bool {
        self.row.placement.is_some() && !self.is_waiting && !self.row.status.is_ended()
    }

    /// Says whether its task is at home with a worker that has these buckets.
    fn is_at_home(&self, homes: &[u8]) -> bool {
        let place = self.row.placement.as_ref();
        let bucket = place.and_then(Placement::bucket);
        bucket.is_some_and(|bucket| homes.contains(&bucket))
    }

    fn order(&self, number: u64) -> (Reverse<i32>, u64) {
        (
            Reverse(
                self.row
                    .placement
                    .as_ref()
                    .map_or(0, |place| place.priority),
            ),
            number,
        )
    }

    fn give(&mut self, claim: &Claim) -> Result<Lease, StoreError> {
        self.is_waiting = false;
        self.engine.clone_from(&claim.engine);
        if self.row.status == RunStatus::Queued {
            self.row.status = RunStatus::Preparing;
        }
        self.take(&claim.worker, claim.time, true)
    }

    fn cancel(&mut self, reason: &str) -> Cancellation {
        if self.row.status.is_ended() {
            return Cancellation::TooLate(self.row.status);
        }
        if self.is_waiting {
            self.end_waiting(reason);
            return Cancellation::Ended;
        }
        self.row.cancel_reason.get_or_insert(reason.to_owned());
        Cancellation::Requested
    }
}

impl Runs {
    fn used(&self, scope: &LimitScope) -> u32 {
        let counts = |run: &&StoredRun| run.is_under_way() && run.scopes().contains(scope);
        self.by_number.values().filter(counts).count() as u32
    }

    /// The limits that hold a run back, with how many runs count towards each and may.
    fn full(&self, run: &StoredRun) -> Vec<(LimitScope, u32, u32)> {
        let limits = run.scopes().into_iter();
        limits
            .filter_map(|scope| {
                let allowed = *self.limits.get(&scope)?;
                let used = self.used(&scope);
                (used >= allowed).then_some((scope, used, allowed))
            })
            .collect()
    }

    pub(super) fn enqueue(
        &mut self,
        run: &NewRun,
        place: &Placement,
    ) -> Result<Enqueued, StoreError> {
        if let Some(run) = self.same_cause(run) {
            return Ok(Enqueued::Known { run });
        }
        self.create(run, Some(place))?;
        let mut superseded = Vec::new();
        let Some(group) = &place.group else {
            return Ok(Enqueued::Waiting { superseded });
        };
        self.limits.insert(LimitScope::Group(group.name.clone()), 1);
        let others = self.by_number.values_mut().filter(|other| {
            other.group() == Some(&group.name)
                && other.row.id != run.id
                && !other.row.status.is_ended()
        });
        for other in others {
            superseded.push(other.row.id.clone());
            if group.policy == GroupPolicy::CancelSuperseded {
                other.cancel(&format!("superseded by run {}", run.id));
            }
        }
        match (group.policy, superseded.last()) {
            (GroupPolicy::Skip, Some(by)) => {
                let by = by.clone();
                let reason = format!("skipped: run {by} of its concurrency group has not ended");
                self.stored(&run.id)?.end_waiting(&reason);
                Ok(Enqueued::Skipped { by })
            }
            (GroupPolicy::Queue | GroupPolicy::Skip, _) => Ok(Enqueued::Waiting {
                superseded: Vec::new(),
            }),
            (GroupPolicy::CancelSuperseded, _) => Ok(Enqueued::Waiting { superseded }),
        }
    }

    fn claim(&mut self, claim: &Claim) -> Result<Option<Claimed>, StoreError> {
        if self.workers.is_draining(&claim.worker) {
            return Ok(None);
        }
        self.leave_line(&claim.pool);
        let line = self.lines.get(&claim.pool).into_iter().flatten();
        let mut may_go = line.filter(|(_, number)| {
            let run = self.by_number.get(number).filter(|run| run.is_waiting);
            run.is_some_and(|run| {
                !run.is_held() && claim.left.fits(&run.needs()) && self.full(run).is_empty()
            })
        });
        let first = may_go.next();
        let is_near = |other: &&(Reverse<i32>, u64)| {
            let run = self.by_number.get(&other.1);
            run.is_some_and(|run| run.is_at_home(&claim.homes))
        };
        let near = match first.filter(|_| !claim.homes.is_empty()) {
            Some(first) if !is_near(&first) => may_go
                .take(NEAR - 1)
                .take_while(|other| other.0 == first.0)
                .find(is_near),
            _ => None,
        };
        let first = near.or(first).map(|(_, number)| *number);
        let run = first.and_then(|number| self.by_number.get_mut(&number));
        let claimed = run.map(|run| {
            let lease = run.give(claim)?;
            let run = run.row.clone();
            Ok(Claimed { lease, run })
        });
        claimed.transpose()
    }

    /// Takes those out of the line of a pool, at its head, that wait no more.
    fn leave_line(&mut self, pool: &str) {
        let Some(line) = self.lines.get_mut(pool) else {
            return;
        };
        while let Some(first) = line.first().copied() {
            let run = self.by_number.get(&first.1);
            if run.is_some_and(|run| run.is_waiting) {
                return;
            }
            line.remove(&first);
        }
    }

    /// Takes the runs under way in the pool that may be taken, one after the other.
    fn take(
        &mut self,
        claim: &Claim,
        may: impl Fn(&StoredRun) -> bool,
    ) -> impl Iterator<Item = Result<TakenOver, StoreError>> {
        let lost =
            move |run: &&mut StoredRun| run.is_under_way() && run.is_in(&claim.pool) && may(run);
        self.by_number.values_mut().filter(lost).map(|run| {
            let place = run.row.placement.clone().unwrap_or_default();
            Ok(TakenOver {
                needs: place.needs,
                engine: run.engine.clone(),
                on_worker_loss: place.on_worker_loss,
                lease: run.give(claim)?,
            })
        })
    }

    fn place(&mut self, run: &str) -> Result<Option<Place>, StoreError> {
        let id = self.stored(run)?.row.id.clone();
        let Some((number, run)) = self
            .by_number
            .iter()
            .find(|(_, run)| run.row.id == id && run.is_waiting)
        else {
            return Ok(None);
        };
        let pool = run.row.placement.as_ref().map(|place| place.pool.as_str());
        let goes_before = |(other_number, other): &(&u64, &StoredRun)| {
            other.is_waiting
                && other.is_in(pool.unwrap_or_default())
                && other.order(**other_number) < run.order(*number)
        };
        let full = self.full(run).into_iter();
        Ok(Some(Place {
            ahead: self.by_number.iter().filter(goes_before).count() as u64,
            waits_for: full
                .map(|(scope, used, allowed)| scope.reason(used, allowed))
                .collect(),
        }))
    }

    fn line(&self, pool: &str, limit: u32) -> Vec<RunRow> {
        let waiting = self.by_number.iter();
        let waiting =
            waiting.filter(|(_, run)| run.is_waiting && run.is_in(pool) && !run.is_held());
        let mut line: Vec<_> = waiting.collect();
        line.sort_by_key(|(number, run)| run.order(**number));
        let rows = line.into_iter().take(limit as usize);
        rows.map(|(_, run)| run.row.without_texts()).collect()
    }

    fn limits(&self) -> Vec<LimitRow> {
        let row = |(scope, allowed): (&LimitScope, &u32)| LimitRow {
            scope: scope.to_string(),
            allowed: *allowed,
            used: self.used(scope),
            waiting: self
                .by_number
                .values()
                .filter(|run| run.is_waiting && self.full(run).iter().any(|it| it.0 == *scope))
                .count() as u32,
        };
        self.limits.iter().map(row).collect()
    }

    fn depths(&self) -> Vec<QueueDepth> {
        let mut depths: Vec<QueueDepth> = Vec::new();
        for run in self.by_number.values().filter(|run| run.is_waiting) {
            let Some(place) = &run.row.placement else {
                continue;
            };
            match depths.iter_mut().find(|depth| depth.pool == place.pool) {
                Some(depth) => depth.waiting += 1,
                None => depths.push(QueueDepth {
                    pool: place.pool.clone(),
                    waiting: 1,
                    oldest: Some(run.row.created_at),
                }),
            }
        }
        depths.sort_by(|one, two| one.pool.cmp(&two.pool));
        depths
    }

    fn unfinished(&self) -> Vec<StatusCount> {
        let mut counts: Vec<StatusCount> = Vec::new();
        let rows = self.by_number.values().map(|run| &run.row);
        for row in rows.filter(|row| !row.status.is_ended()) {
            let held = u64::from(row.owner.is_some());
            match counts.iter_mut().find(|count| count.status == row.status) {
                Some(count) => {
                    count.runs += 1;
                    count.held += held;
                }
                None => counts.push(StatusCount {
                    status: row.status,
                    runs: 1,
                    held,
                    oldest: row.created_at,
                }),
            }
        }
        counts
    }
}

impl MemoryStore {
    fn wake(&self) {
        self.wakes.send_modify(|count| *count += 1);
    }
}

#[async_trait]
impl Queue for MemoryStore {
    async fn enqueue(&self, run: &NewRun, place: &Placement) -> Result<Enqueued, StoreError> {
        let enqueued = self.lock().enqueue(run, place);
        self.wake();
        enqueued
    }

    async fn claim(&self, claim: &Claim) -> Result<Option<Claimed>, StoreError> {
        self.lock().claim(claim)
    }

    async fn take_over(
        &self,
        claim: &Claim,
        grace: Duration,
    ) -> Result<Option<TakenOver>, StoreError> {
        let is_overdue = |run: &StoredRun| {
            let wait = if run.engine == claim.engine {
                grace
            } else {
                2 * grace
            };
            run.overdue().is_some_and(|overdue| overdue >= wait)
        };
        self.lock().take(claim, is_overdue).next().transpose()
    }

    async fn reclaim(&self, claim: &Claim) -> Result<Vec<TakenOver>, StoreError> {
        let is_own = |run: &StoredRun| {
            run.row.owner.as_ref() == Some(&claim.worker) && run.engine == claim.engine
        };
        self.lock().take(claim, is_own).collect()
    }

    async fn hand_over(&self, lease: &Lease, grace: Duration) -> Result<(), StoreError> {
        held(self.lock().stored(&lease.run), lease)?.hand_over(grace);
        self.wake();
        Ok(())
    }

    async fn requeue(&self, lease: &Lease) -> Result<(), StoreError> {
        self.lock().requeue(lease)?;
        self.wake();
        Ok(())
    }

    async fn cancel(&self, run: &str, reason: &str) -> Result<Cancellation, StoreError> {
        let cancellation = self.lock().stored(run)?.cancel(reason);
        self.wake();
        Ok(cancellation)
    }

    async fn cancel_requests(&self, owner: &str) -> Result<Vec<CancelRequest>, StoreError> {
        let runs = self.lock();
        let open = runs
            .by_number
            .values()
            .filter(|run| run.row.owner.as_deref() == Some(owner) && !run.row.status.is_ended());
        let request = |run: &StoredRun| {
            Some(CancelRequest {
                run: run.row.id.clone(),
                reason: run.row.cancel_reason.clone()?,
            })
        };
        Ok(open.filter_map(request).collect())
    }

    async fn place(&self, run: &str) -> Result<Option<Place>, StoreError> {
        self.lock().place(run)
    }

    async fn line(&self, pool: &str, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        Ok(self.lock().line(pool, limit))
    }

    async fn set_limit(&self, scope: &LimitScope, allowed: Option<u32>) -> Result<(), StoreError> {
        let limits = &mut self.lock().limits;
        match allowed {
            Some(allowed) => limits.insert(scope.clone(), allowed),
            None => limits.remove(scope),
        };
        self.wake();
        Ok(())
    }

    async fn limits(&self) -> Result<Vec<LimitRow>, StoreError> {
        Ok(self.lock().limits())
    }

    async fn depths(&self) -> Result<Vec<QueueDepth>, StoreError> {
        Ok(self.lock().depths())
    }

    async fn unfinished(&self) -> Result<Vec<StatusCount>, StoreError> {
        Ok(self.lock().unfinished())
    }

    async fn take_ends(&self, hold: Duration, limit: u32) -> Result<Vec<String>, StoreError> {
        let (mut runs, now) = (self.lock(), Instant::now());
        let free = runs
            .by_number
            .values_mut()
            .filter(|run| run.is_untold() && run.told_until.is_none_or(|until| until <= now));
        let taken = free.take(limit as usize).map(|run| {
            run.told_until = Some(now + hold);
            run.row.id.clone()
        });
        Ok(taken.collect())
    }

    async fn forget_end(&self, run: &str) -> Result<(), StoreError> {
        if let Ok(run) = self.lock().stored(run) {
            run.is_told = true;
        }
        Ok(())
    }

    async fn untold_ends(&self) -> Result<u64, StoreError> {
        let runs = self.lock();
        Ok(runs
            .by_number
            .values()
            .filter(|run| run.is_untold())
            .count() as u64)
    }

    fn wake_ups(&self) -> watch::Receiver<u64> {
        self.wakes.subscribe()
    }
}

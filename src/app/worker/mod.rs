//! Takes runs out of a pool and drives them, each on the path that every run takes.
//!
//! Wake-ups only save time: the worker also looks every second for runs, wishes to cancel, and runs whose worker is lost
//! or has handed them over.

mod beside;
mod cancels;
mod driving;
mod homes;
mod means;
mod pace;
mod presence;
mod terms;

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{App, AppError};
use crate::{
    ports::{Claim, Held, Needs, StoreError, WorkerFacts},
    runner::Wishes,
};

pub use beside::work_beside;
pub(super) use cancels::heed_cancel;
use driving::Given;
pub use homes::Homes;
pub use pace::Pace;
pub use terms::WorkerTerms;

/// How often a worker looks when nothing wakes it.
const LOOK: Duration = Duration::from_secs(1);
/// Take-over waits so many parts of a lease longer than the lease itself: more than a worker needs to stop.
const GRACE: u32 = 4;

/// A worker of a pool.
pub struct Worker {
    app: Arc<App>,
    terms: WorkerTerms,
    claim: Claim,
    facts: WorkerFacts,
    /// Shows that a process of this name lives.
    _held: Box<dyn Held>,
    under_way: HashMap<String, UnderWay>,
    tasks: JoinSet<String>,
    looked_for_lost: Option<Instant>,
    /// Whether the last look came too soon to be also one for lost and handed-over runs.
    has_skipped_lost: bool,
    said_to_be_here: Option<Instant>,
    times_said: u32,
    is_draining: bool,
    pace: Pace,
    homes: Homes,
}

/// A run that is being driven.
struct UnderWay {
    wishes: Wishes,
    needs: Needs,
}

impl Worker {
    /// Makes a worker; fails when the engine cannot be asked who it is or another process has the name.
    pub async fn new(app: Arc<App>, terms: WorkerTerms) -> Result<Worker, AppError> {
        let engine = app.ports.containers.info().await?;
        let held = app.hold(&format!("worker-{}", terms.name)).map_err(|_| {
            AppError::usage(
                format!("a worker called {} is at work on this machine", terms.name),
                "Give this one another name with --name",
            )
        })?;
        let facts = presence::facts(&terms, &engine);
        let claim = Claim {
            worker: terms.name.clone(),
            engine: engine.id,
            pool: terms.pool.clone(),
            time: terms.lease,
            left: facts.capacity.clone(),
            homes: Vec::new(),
        };
        Ok(Worker {
            facts,
            app,
            terms,
            claim,
            _held: held,
            under_way: HashMap::new(),
            tasks: JoinSet::new(),
            looked_for_lost: None,
            has_skipped_lost: false,
            said_to_be_here: None,
            times_said: 0,
            is_draining: false,
            pace: Pace {
                workers: 1,
                is_idle: false,
            },
            homes: Homes::default(),
        })
    }

    /// Works until told to stop; then lets its runs end, or hands over those that take too long.
    pub async fn work(mut self, stop: CancellationToken) -> Result<(), AppError> {
        let mut wake_ups = self.app.queue.wake_ups();
        let mut sweeping = JoinSet::new();
        sweeping.spawn(driving::sweep_now_and_then(self.app.clone()));
        self.reclaim().await?;
        while !stop.is_cancelled() {
            wake_ups.mark_unchanged();
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "could not look for runs; trying again");
            }
            self.wait(&mut wake_ups, &stop).await;
        }
        self.drain(&mut wake_ups).await;
        self.leave().await;
        Ok(())
    }

    /// Waits until there may be something to do.
    async fn wait(&mut self, wake_ups: &mut watch::Receiver<u64>, stop: &CancellationToken) {
        let pace = self.pace;
        tokio::select! {
            () = stop.cancelled() => {}
            () = called(wake_ups, pace) => {}
            Some(ended) = self.tasks.join_next() => self.forget(ended.ok()),
            () = sleep(pace.pause(self.has_skipped_lost)) => {}
        }
        while let Some(ended) = self.tasks.try_join_next() {
            self.forget(ended.ok());
        }
    }

    fn forget(&mut self, ended: Option<String>) {
        match ended {
            Some(run) => drop(self.under_way.remove(&run)),
            None => tracing::error!("the driver of a run broke down; its lease will run out"),
        }
    }

    async fn look(&mut self) -> Result<(), AppError> {
        self.heed_cancels().await?;
        self.say_here().await?;
        if self.is_draining || self.facts.problem.is_some() {
            return Ok(());
        }
        let grace = self.claim.time / GRACE;
        let between = self.pace.between_looks_for_lost(grace);
        let is_soon = |last: Instant| last.elapsed() < between;
        self.has_skipped_lost = self.looked_for_lost.is_some_and(is_soon);
        if !self.has_skipped_lost {
            self.take_over(grace).await?;
            self.looked_for_lost = Some(Instant::now());
        }
        let before = self.under_way.len();
        while self.under_way.len() < self.terms.parallel_runs {
            let taken = self.under_way.values().map(|it| &it.needs);
            self.claim.left = self.facts.capacity.beside(taken);
            self.claim.homes = self.homes.for_next_claim();
            let sent = Instant::now();
            let Some(claimed) = self.app.queue.claim(&self.claim).await? else {
                break;
            };
            self.drive(Given::claimed(claimed, sent));
        }
        let has_room = self.under_way.len() < self.terms.parallel_runs;
        self.pace.is_idle = has_room && self.under_way.len() == before;
        Ok(())
    }

    /// Takes up what an earlier process of this worker left, however many runs that are.
    async fn reclaim(&mut self) -> Result<(), AppError> {
        let sent = Instant::now();
        for taken in self.app.queue.reclaim(&self.claim).await? {
            tracing::info!(run = taken.lease.run, "going on with a run");
            self.drive(Given::taken_over(taken, sent));
        }
        Ok(())
    }

    async fn take_over(&mut self, grace: Duration) -> Result<(), AppError> {
        while self.under_way.len() < self.terms.parallel_runs {
            let sent = Instant::now();
            let Some(taken) = self.app.queue.take_over(&self.claim, grace).await? else {
                return Ok(());
            };
            tracing::info!(
                run = taken.lease.run,
                "taking over a run whose worker is lost"
            );
            if taken.engine == self.claim.engine {
                self.drive(Given::taken_over(taken, sent));
            } else {
                driving::without_its_engine(&self.app, &taken).await?;
            }
        }
        Ok(())
    }

    async fn heed_cancels(&self) -> Result<(), StoreError> {
        if self.under_way.is_empty() {
            return Ok(());
        }
        for wish in self.app.queue.cancel_requests(&self.claim.worker).await? {
            if let Some(run) = self.under_way.get(&wish.run) {
                run.wishes.cancel(&wish.reason);
            }
        }
        Ok(())
    }

    async fn drain(&mut self, wake_ups: &mut watch::Receiver<u64>) {
        let until = Instant::now() + self.terms.drain;
        let end = CancellationToken::new();
        while !self.tasks.is_empty() && Instant::now() < until {
            if let Err(error) = self.heed_cancels().await {
                tracing::warn!(%error, "could not look for wishes to cancel");
            }
            let left = until - Instant::now();
            let _ = timeout(left, self.wait(wake_ups, &end)).await;
        }
        for run in self.under_way.values() {
            run.wishes.hand_over();
        }
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Waits for a call that this worker heeds: where there are many, others heed the rest.
async fn called(wake_ups: &mut watch::Receiver<u64>, pace: Pace) {
    while wake_ups.changed().await.is_ok() {
        if pace.heeds(rand::random()) {
            return;
        }
    }
    // Nobody calls any more.
    std::future::pending().await
}

//! How many workers a pool should have: by the length of its queue and by how long the first in it has waited.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::{App, AppError};
use crate::ports::Services;

/// Between which bounds, and how quickly, a service follows its pool.
#[derive(Debug, Clone)]
pub struct ScaleTerms {
    /// The service whose replicas are the pool's workers.
    pub service: String,
    /// The pool.
    pub pool: String,
    /// No fewer replicas than this.
    pub min: u64,
    /// No more than this.
    pub max: u64,
    /// How many runs one replica drives at once.
    pub runs_per_worker: u64,
    /// Once a run has waited for longer than this, one replica more is wanted.
    pub longest_wait: Duration,
    /// For so long fewer replicas must have been enough before there are fewer.
    pub cool_down: Duration,
    /// How often is looked.
    pub every: Duration,
}

/// What there is to do in a pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolLoad {
    /// Runs that wait.
    pub waiting: u64,
    /// Runs that workers drive.
    pub under_way: u64,
    /// How long the first has waited.
    pub oldest: Duration,
}

/// Remembers what would have been enough lately, so that a lull of a minute costs no worker.
#[derive(Debug)]
pub struct Scaler {
    terms: ScaleTerms,
    /// What was wanted, and when; the latest last.
    lately: VecDeque<(Instant, u64)>,
}

impl Scaler {
    /// Makes one that has seen nothing yet.
    pub fn new(terms: ScaleTerms) -> Scaler {
        Scaler {
            terms,
            lately: VecDeque::new(),
        }
    }

    /// Says how many replicas there should be now; `None` when there are as many. More are wanted at once, fewer only
    /// when they would have been enough throughout the cool-down.
    pub fn decide(&mut self, now: Instant, load: PoolLoad, replicas: u64) -> Option<u64> {
        let wanted = self.wanted(load, replicas);
        let is_old = |at: Instant| now.duration_since(at) > self.terms.cool_down;
        // The first look counts as if it had always been so only for more, never for fewer.
        let has_seen_enough = self.lately.front().is_some_and(|(at, _)| is_old(*at));
        self.lately.push_back((now, wanted));
        while self.lately.len() > 1 && is_old(self.lately[1].0) {
            self.lately.pop_front();
        }
        let enough = self.lately.iter().map(|it| it.1).max().unwrap_or(wanted);
        match (wanted > replicas, enough < replicas && has_seen_enough) {
            (true, _) => Some(wanted),
            (false, true) => Some(enough),
            (false, false) => None,
        }
    }

    fn wanted(&self, load: PoolLoad, replicas: u64) -> u64 {
        let terms = &self.terms;
        let runs = load.waiting + load.under_way;
        let by_depth = runs.div_ceil(terms.runs_per_worker.max(1));
        let is_late = load.waiting > 0 && load.oldest > terms.longest_wait;
        let by_wait = if is_late { replicas + 1 } else { 0 };
        by_depth
            .max(by_wait)
            .clamp(terms.min, terms.max.max(terms.min))
    }

    /// Looks once and sets what is wanted; returns that when it is another number than before.
    pub async fn look(
        &mut self,
        app: &App,
        services: &dyn Services,
    ) -> Result<Option<u64>, AppError> {
        let load = app.pool_load(&self.terms.pool).await?;
        let replicas = services.replicas(&self.terms.service).await?;
        let Some(wanted) = self.decide(Instant::now(), load, replicas) else {
            return Ok(None);
        };
        services.set_replicas(&self.terms.service, wanted).await?;
        tracing::info!(
            service = self.terms.service,
            waiting = load.waiting,
            under_way = load.under_way,
            "{replicas} replicas become {wanted}"
        );
        Ok(Some(wanted))
    }

    /// Looks again and again; trouble is said, and tried again.
    pub async fn follow(mut self, app: Arc<App>, services: Arc<dyn Services>) {
        loop {
            if let Err(error) = self.look(&app, services.as_ref()).await {
                tracing::warn!(service = self.terms.service, "could not be scaled: {error}");
            }
            sleep(self.terms.every).await;
        }
    }
}

impl App {
    /// Says what there is to do in a pool.
    pub async fn pool_load(&self, pool: &str) -> Result<PoolLoad, AppError> {
        let depths = self.queue.depths().await?;
        let depth = depths.iter().find(|it| it.pool == pool);
        let workers = self.workers.workers().await?;
        let of_pool = workers.iter().filter(|it| it.facts.pool == pool);
        let oldest = depth.and_then(|it| it.oldest);
        let waited = oldest.and_then(|at| (self.ports.clock.now() - at).to_std().ok());
        Ok(PoolLoad {
            waiting: depth.map_or(0, |it| it.waiting),
            under_way: of_pool.map(|it| it.runs.len() as u64).sum(),
            oldest: waited.unwrap_or_default(),
        })
    }
}

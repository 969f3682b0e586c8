//! Decides what came: takes undecided deliveries, judges each, writes the decision with the runs it starts.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::judging::{Bench, Case};
use crate::{
    app::{App, AppError},
    ports::{Decision, Delivery, Ruling, StoreError, Verdict},
    triggers::{self, SourceFact},
};

/// Deliveries taken at once.
const BATCH: u32 = 200;
/// For how long a batch is one decider's; after that another takes it.
const HOLD: Duration = Duration::from_secs(60);
/// How often is looked though nothing was heard: what another server left undecided tells nobody.
const LOOK: Duration = Duration::from_secs(1);
/// Draws of run ids before giving up; two are rarely needed.
const ID_DRAWS: usize = 5;

/// Decides deliveries until it is told to stop.
pub async fn decide_deliveries(app: Arc<App>, news: Arc<Notify>, stop: CancellationToken) {
    loop {
        match app.decide_batch().await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::error!("deliveries could not be decided: {error}"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = news.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

impl App {
    /// Decides a batch of deliveries and says how many.
    pub async fn decide_batch(&self) -> Result<usize, AppError> {
        let taken = self.deliveries.undecided(BATCH, HOLD).await?;
        if taken.is_empty() {
            return Ok(0);
        }
        let bench = Bench::of(self).await?;
        for delivery in &taken {
            let decided = self.decide_one(&bench, delivery, 0).await?;
            tracing::info!(delivery = delivery.number, "decided: {}", decided.summary);
        }
        Ok(taken.len())
    }

    /// Decides a delivery once more: what its tasks and filters are now is what counts.
    pub async fn replay_delivery(&self, number: u64) -> Result<Decision, AppError> {
        let delivery = self.delivery(number).await?;
        let replay = self.deliveries.count_replay(number).await?;
        let bench = Bench::of(self).await?;
        self.decide_one(&bench, &delivery, replay).await
    }

    /// Reads one delivery.
    pub async fn delivery(&self, number: u64) -> Result<Delivery, AppError> {
        let found = self.deliveries.delivery(number).await?;
        found.ok_or_else(|| {
            AppError::usage(
                format!("there is no delivery {number}"),
                "careen hooks list shows those there are",
            )
        })
    }

    /// Lets a run go that waits for approval.
    pub async fn approve_run(&self, run: &str, by: &str) -> Result<(), AppError> {
        match self.deliveries.approve(run, by).await? {
            true => Ok(()),
            false => Err(AppError::usage(
                format!("run {run} does not wait for approval"),
                format!("careen runs show {run} tells how it stands"),
            )),
        }
    }

    async fn decide_one(
        &self,
        bench: &Bench,
        delivery: &Delivery,
        replay: u32,
    ) -> Result<Decision, AppError> {
        for _ in 1..ID_DRAWS {
            let verdict = self.verdict(bench, delivery, replay).await;
            match self.deliveries.decide(&verdict).await {
                Err(StoreError::IdTaken(_)) => {}
                other => return Ok(other?),
            }
        }
        let verdict = self.verdict(bench, delivery, replay).await;
        Ok(self.deliveries.decide(&verdict).await?)
    }

    async fn verdict(&self, bench: &Bench, delivery: &Delivery, replay: u32) -> Verdict {
        let mut rulings = match triggers::read(delivery.provider, &delivery.event, &delivery.body) {
            Ok(facts) => self.rulings(bench, delivery, &facts).await,
            Err(error) => vec![Ruling::none(format!("it cannot be read: {error}"))],
        };
        // All who move several heads at once move them in one order, so that none waits for the other in a ring.
        rulings.sort_by(|a, b| place(a).cmp(&place(b)));
        Verdict {
            delivery: Some(delivery.number),
            scope: delivery.task.clone().unwrap_or_default(),
            replay,
            rulings,
            at: self.ports.clock.now(),
        }
    }

    async fn rulings(
        &self,
        bench: &Bench,
        delivery: &Delivery,
        facts: &[SourceFact],
    ) -> Vec<Ruling> {
        let mut rulings = Vec::new();
        for fact in facts {
            let case = Case {
                fact,
                task: delivery.task.as_deref(),
                source: Some(&delivery.source),
                seen_at: None,
            };
            rulings.push(bench.judge(self, &case).await);
        }
        rulings
    }
}

/// The head that a ruling moves.
fn place(ruling: &Ruling) -> Option<(&str, &str)> {
    let to = ruling.to.as_ref()?;
    Some((&to.repository, &to.reference))
}

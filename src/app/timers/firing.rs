//! Fires timers in lots: claimed, prepared, and moved together with the runs they start.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, future::join_all, stream};

use super::{
    super::{App, AppError},
    runs::Prepared,
};
use crate::ports::{Enqueued, Firing};

/// How many timers are claimed and moved at once.
const AT_ONCE: u32 = 250;
/// How many such lots are under way side by side.
const LANES: usize = 4;
/// How many runs of a lot are prepared side by side.
const PREPARED_AT_ONCE: usize = 8;
/// A claim lapses after this; then another server fires the timer.
const HOLD: TimeDelta = TimeDelta::seconds(60);
/// How long a timer whose run cannot be queued rests before the next try.
const REST: TimeDelta = TimeDelta::seconds(30);

/// What came of one lot.
struct Lot {
    /// How many runs it queued.
    queued: usize,
    /// Whether more timers may be due.
    is_full: bool,
}

impl App {
    /// Queues the runs of all timers that are due and returns how many that were.
    pub async fn fire_timers(&self) -> Result<usize, AppError> {
        let first = self.fire_lot().await?;
        if !first.is_full {
            return Ok(first.queued);
        }
        let lanes = join_all((0..LANES).map(|_| self.fire_lots())).await;
        let more: usize = lanes.into_iter().sum::<Result<_, _>>()?;
        Ok(first.queued + more)
    }

    async fn fire_lots(&self) -> Result<usize, AppError> {
        let mut queued = 0;
        loop {
            let lot = self.fire_lot().await?;
            queued += lot.queued;
            if !lot.is_full {
                return Ok(queued);
            }
        }
    }

    async fn fire_lot(&self) -> Result<Lot, AppError> {
        let now = self.ports.clock.now();
        let claimed = self.timers.claim_timers(now, now + HOLD, AT_ONCE).await?;
        let is_full = claimed.len() == AT_ONCE as usize;
        let prepared: Vec<Prepared> = stream::iter(claimed)
            .map(|timer| self.prepare_firing(timer, now))
            .buffer_unordered(PREPARED_AT_ONCE)
            .collect()
            .await;
        let queued = self.fire_prepared(prepared, now).await?;
        Ok(Lot { queued, is_full })
    }

    async fn fire_prepared(
        &self,
        prepared: Vec<Prepared>,
        now: DateTime<Utc>,
    ) -> Result<usize, AppError> {
        let mut firings = Vec::with_capacity(prepared.len());
        for one in prepared {
            match one {
                Prepared::Fire(firing) => firings.push(*firing),
                Prepared::Postpone(timer, problem) => {
                    tracing::warn!(
                        timer.task,
                        timer.name,
                        "not queued, and tried again: {problem}"
                    );
                    let until = now + REST;
                    self.timers.postpone_timer(&timer, until, &problem).await?;
                }
            }
        }
        if firings.is_empty() {
            return Ok(0);
        }
        let answers = match self.timers.fire(&firings).await {
            Ok(answers) => answers,
            Err(error) => {
                tracing::warn!("{} timers did not fire together: {error}", firings.len());
                // One that cannot be must not hold up the others.
                self.fire_one_by_one(&firings).await?
            }
        };
        let queued = answers.iter().flatten().flatten();
        Ok(queued
            .filter(|it| !matches!(it, Enqueued::Known { .. }))
            .count())
    }

    async fn fire_one_by_one(
        &self,
        firings: &[Firing],
    ) -> Result<Vec<Option<Vec<Enqueued>>>, AppError> {
        let mut answers = Vec::with_capacity(firings.len());
        for firing in firings {
            match self.timers.fire(std::slice::from_ref(firing)).await {
                Ok(answer) => answers.extend(answer),
                Err(error) => {
                    let until = firing.decided_at + REST;
                    let problem = error.to_string();
                    self.timers
                        .postpone_timer(&firing.timer, until, &problem)
                        .await?;
                }
            }
        }
        Ok(answers)
    }
}

//! Ends runs whose process has died, and removes what ended runs left on the engine.

use chrono::{DateTime, Utc};
use serde_json::to_value;

use super::{App, AppError};
use crate::{
    engine::{Event, RunStatus, StepStatus},
    ports::{
        AttemptRow, Batch, Labels, Lease, RecordedEvent, Resource, RunFilter, RunRow, StoreError,
    },
    runner::{LABEL_RUN, LABEL_STORE, remove_all, remove_lost},
};

/// Why such a run ended, in its record.
const CLIENT_LOST: &str = "client lost: the careen that drove it is gone";
/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Swept {
    /// Runs that were ended.
    pub ended: Vec<String>,
    /// Containers, networks and volumes that were removed.
    pub removed: usize,
}

impl App {
    /// Ends every local run that nobody drives any more; asks the engine only when there is one.
    pub async fn end_lost_runs(&self) -> Result<Swept, AppError> {
        let filter = RunFilter {
            unfinished: true,
            local: true,
            ..RunFilter::default()
        };
        let mut swept = Swept::default();
        for run in self.ports.store.runs(&filter).await? {
            // Holding the lock for the while keeps two sweeps apart.
            let Ok(_held) = self.hold(&run.id) else {
                continue;
            };
            let lease = match self.lease(&run.id, true).await {
                Ok(lease) => lease,
                // It ended just now; looking has made its lock anew.
                Err(StoreError::Held { .. }) => {
                    self.liveness.forget(&run.id);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            swept.removed +=
                remove_lost(self.ports.containers.as_ref(), &self.labels(&run.id)).await?;
            self.record_loss(run.clone(), &lease).await?;
            self.liveness.forget(&run.id);
            swept.ended.push(run.id);
        }
        Ok(swept)
    }

    /// Ends lost runs and removes everything of this store on the engine that belongs to no living run.
    pub async fn sweep(&self) -> Result<Swept, AppError> {
        let mut swept = self.end_lost_runs().await?;
        let containers = self.ports.containers.as_ref();
        let own = Labels::from([(
            LABEL_STORE.to_owned(),
            self.ports.store.store_id().to_owned(),
        )]);
        let mut owners = std::collections::BTreeSet::new();
        for resource in [Resource::Container, Resource::Network, Resource::Volume] {
            let found = containers.list(resource, &own).await?;
            owners.extend(
                found
                    .into_iter()
                    .filter_map(|it| it.labels.get(LABEL_RUN).cloned()),
            );
        }
        for run in owners {
            let is_over = match self.ports.store.run(&run).await {
                Ok(row) => row.status.is_ended(),
                Err(StoreError::NoSuchRun(_)) => true,
                Err(error) => return Err(error.into()),
            };
            if is_over {
                swept.removed += remove_all(containers, &self.labels(&run)).await?;
            }
        }
        Ok(swept)
    }

    fn labels(&self, run: &str) -> Labels {
        Labels::from([
            (
                LABEL_STORE.to_owned(),
                self.ports.store.store_id().to_owned(),
            ),
            (LABEL_RUN.to_owned(), run.to_owned()),
        ])
    }

    async fn record_loss(&self, mut run: RunRow, lease: &Lease) -> Result<(), AppError> {
        let now = self.ports.clock.now();
        let recorded = self.ports.store.events(&run.id, lease.generation).await?;
        let mut steps = self.ports.store.steps(&run.id).await?;
        steps.retain(|step| !step.status.is_ended());
        for step in &mut steps {
            let has_begun = step.status == StepStatus::Running;
            step.status = if has_begun {
                StepStatus::Canceled
            } else {
                StepStatus::Skipped
            };
            step.reason = None;
            step.ended_at = Some(now);
        }
        run.status = RunStatus::Errored;
        run.reason = Some(CLIENT_LOST.to_owned());
        run.ended_at = Some(now);
        run.steps_ended = run.steps;
        let batch = Batch {
            events: vec![loss(recorded.last().map_or(1, |last| last.seq + 1), now)],
            attempts: self.lost_attempts(&run.id, now).await?,
            run: Some(run),
            steps,
            ..Batch::default()
        };
        self.ports.store.record(lease, &batch).await?;
        self.ports.store.release(lease).await?;
        Ok(())
    }

    /// The attempts that were under way: how they would have ended is not known.
    async fn lost_attempts(
        &self,
        run: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<AttemptRow>, AppError> {
        let mut attempts = self.ports.store.attempts(run).await?;
        attempts.retain(|attempt| attempt.ended_at.is_none());
        for attempt in &mut attempts {
            attempt.outcome = Some("lost".to_owned());
            attempt.ended_at = Some(now);
        }
        Ok(attempts)
    }
}

fn loss(seq: u64, at: DateTime<Utc>) -> RecordedEvent {
    let event = Event::Abandoned {
        reason: CLIENT_LOST.to_owned(),
    };
    RecordedEvent {
        seq,
        at,
        kind: event.kind().to_owned(),
        body: to_value(&event).unwrap_or_default(),
    }
}

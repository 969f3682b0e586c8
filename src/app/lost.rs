//! Ends a run in the name of a process or worker that cannot do it any more.

use chrono::{DateTime, Utc};
use serde_json::to_value;

use super::{App, AppError};
use crate::{
    engine::{Event, RunStatus, StepStatus},
    ports::{AttemptRow, Batch, Lease, RecordedEvent},
};

/// How such a run is recorded to have ended.
pub(super) struct Ending {
    status: RunStatus,
    event: Event,
    reason: String,
}

impl Ending {
    /// Whoever drove it is gone.
    pub fn lost(reason: &str) -> Ending {
        Ending {
            status: RunStatus::Errored,
            event: Event::Abandoned {
                reason: reason.to_owned(),
            },
            reason: reason.to_owned(),
        }
    }

    /// It could not begin, because what was asked is wrong.
    pub fn refused(reason: &str) -> Ending {
        Ending {
            status: RunStatus::Failed,
            ..Ending::lost(reason)
        }
    }

    /// Someone wanted it stopped.
    pub fn canceled(reason: &str) -> Ending {
        Ending {
            status: RunStatus::Canceled,
            event: Event::CancelRequested {
                reason: reason.to_owned(),
            },
            reason: reason.to_owned(),
        }
    }
}

impl App {
    /// Ends a run that this process has leased and nobody drives.
    pub(super) async fn record_end(
        &self,
        run: &str,
        lease: &Lease,
        ending: &Ending,
    ) -> Result<(), AppError> {
        let now = self.ports.clock.now();
        let mut run = self.ports.store.run(run).await?;
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
        run.status = ending.status;
        run.reason = Some(ending.reason.clone());
        run.ended_at = Some(now);
        run.steps_ended = run.steps;
        let seq = recorded.last().map_or(1, |last| last.seq + 1);
        let batch = Batch {
            events: vec![event(seq, now, &ending.event)],
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

fn event(seq: u64, at: DateTime<Utc>, event: &Event) -> RecordedEvent {
    RecordedEvent {
        seq,
        at,
        kind: event.kind().to_owned(),
        body: to_value(event).unwrap_or_default(),
    }
}

//! One run in memory.

use std::{collections::BTreeMap, time::Duration};

use chrono::Utc;
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    engine::{Event, RunStatus},
    ports::{
        AttemptRow, Batch, Lease, NewRun, Placement, RecordedEvent, RunRow, Sealed, StepRow,
        StoreError,
    },
};

/// Everything recorded of a run, and the claim on it.
#[derive(Debug)]
pub(super) struct StoredRun {
    pub(super) row: RunRow,
    pub(super) secrets: Vec<(String, Sealed)>,
    pub(super) events: Vec<RecordedEvent>,
    pub(super) steps: BTreeMap<u32, StepRow>,
    pub(super) attempts: BTreeMap<(u32, u32), AttemptRow>,
    /// Whether it waits for a worker.
    pub(super) is_waiting: bool,
    /// The engine that has its containers.
    pub(super) engine: String,
    /// Whether its end has been told, and until when someone is at it.
    pub(super) is_told: bool,
    pub(super) told_until: Option<Instant>,
    token: u64,
    until: Option<Instant>,
}

impl StoredRun {
    /// Makes the record of a queued run.
    pub(super) fn new(run: &NewRun, placement: Option<Placement>) -> StoredRun {
        StoredRun {
            is_waiting: placement.is_some(),
            row: RunRow {
                id: run.id.clone(),
                name: run.name.clone(),
                cause: run.cause.clone(),
                trigger: run.trigger.clone(),
                status: RunStatus::Queued,
                reason: None,
                request: run.request.clone(),
                prepared: Value::Null,
                generation: 1,
                rerun_of: run.rerun_of.clone(),
                placement,
                owner: None,
                held_until: None,
                cancel_reason: None,
                created_at: run.created_at,
                started_at: None,
                ended_at: None,
                steps: 0,
                steps_ended: 0,
            },
            secrets: run.secrets.clone(),
            events: Vec::new(),
            steps: BTreeMap::new(),
            attempts: BTreeMap::new(),
            engine: String::new(),
            is_told: false,
            told_until: None,
            token: 0,
            until: None,
        }
    }

    /// Claims the run if its lease has run out, or by force.
    pub(super) fn take(
        &mut self,
        owner: &str,
        time: Duration,
        force: bool,
    ) -> Result<Lease, StoreError> {
        let is_held = self.until.is_some_and(|until| until > Instant::now());
        if is_held && !force {
            return Err(StoreError::Held {
                run: self.row.id.clone(),
                owner: self.row.owner.clone().unwrap_or_default(),
            });
        }
        self.row.owner = Some(owner.to_owned());
        self.token += 1;
        self.hold(time);
        Ok(Lease {
            run: self.row.id.clone(),
            generation: self.row.generation,
            owner: owner.to_owned(),
            token: self.token,
            time,
        })
    }

    /// Prolongs the lease from now on.
    pub(super) fn renew(&mut self, lease: &Lease, time: Duration) -> Result<(), StoreError> {
        self.check(lease)?;
        self.hold(time);
        Ok(())
    }

    fn hold(&mut self, time: Duration) {
        self.until = Some(Instant::now() + time);
        self.row.held_until = Some(Utc::now() + time);
    }

    /// Lets anyone take the run; whoever held it may write no more.
    pub(super) fn release(&mut self) {
        self.token += 1;
        self.until = None;
        (self.row.owner, self.row.held_until) = (None, None);
    }

    /// Says how long ago the lease ran out; `None` while it holds.
    pub(super) fn overdue(&self) -> Option<Duration> {
        let until = self.until.unwrap_or_else(Instant::now);
        Instant::now().checked_duration_since(until)
    }

    /// Lets another worker on the same engine take the run at once.
    pub(super) fn hand_over(&mut self, grace: Duration) {
        self.release();
        self.until = Instant::now().checked_sub(grace);
    }

    /// Lets the run wait again as its next generation.
    pub(super) fn requeue(&mut self) {
        self.release();
        self.is_waiting = true;
        self.events.clear();
        self.steps.clear();
        self.attempts.clear();
        self.row.generation += 1;
        self.row.status = RunStatus::Queued;
        self.row.started_at = None;
        (self.row.steps, self.row.steps_ended) = (0, 0);
    }

    /// Ends a run that waits.
    pub(super) fn end_waiting(&mut self, reason: &str) {
        let now = Utc::now();
        let event = Event::CancelRequested {
            reason: reason.to_owned(),
        };
        self.events.push(RecordedEvent {
            seq: 1,
            at: now,
            kind: event.kind().to_owned(),
            body: serde_json::to_value(&event).unwrap_or_default(),
        });
        self.is_waiting = false;
        self.token += 1;
        self.row.status = RunStatus::Canceled;
        self.row.reason = Some(reason.to_owned());
        self.row.cancel_reason = Some(reason.to_owned());
        self.row.ended_at = Some(now);
    }

    /// Fails unless the lease is the last that was given.
    pub(super) fn check(&self, lease: &Lease) -> Result<(), StoreError> {
        if lease.token != self.token || lease.generation != self.row.generation {
            return Err(StoreError::LeaseLost(self.row.id.clone()));
        }
        Ok(())
    }

    /// Writes a batch, all of it or nothing.
    pub(super) fn record(&mut self, lease: &Lease, batch: &Batch) -> Result<(), StoreError> {
        self.check(lease)?;
        batch.check_order(&self.row.id, self.events.len() as u64 + 1)?;
        self.events.extend_from_slice(&batch.events);
        if let Some(run) = &batch.run {
            self.summarize(run);
        }
        if let Some(prepared) = &batch.prepared {
            self.row.prepared = prepared.clone();
        }
        for step in &batch.steps {
            self.steps.insert(step.step, step.clone());
        }
        for attempt in &batch.attempts {
            self.attempts
                .insert((attempt.step, attempt.attempt), attempt.clone());
        }
        Ok(())
    }

    fn summarize(&mut self, run: &RunRow) {
        self.row.status = run.status;
        self.row.reason.clone_from(&run.reason);
        self.row.started_at = run.started_at;
        self.row.ended_at = run.ended_at;
        self.row.steps = run.steps;
        self.row.steps_ended = run.steps_ended;
        if run.status.is_ended() {
            self.until = None;
        }
    }
}

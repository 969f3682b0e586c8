//! Writes what happened: events, and the summaries that lists are made from.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Job, Ports, RunError, lease::Deadline, outage::Outage};
use crate::{
    engine::{Action, Event, Outcome, RunState, advance},
    ports::{AttemptRow, Batch, Lease, RecordedEvent, RunRow, RunStore, StepRow},
};

/// Collects one transaction after another.
pub(super) struct Recorder {
    store: Arc<dyn RunStore>,
    outage: Outage,
    lease: Lease,
    run: RunRow,
    last_seq: u64,
    batch: Batch,
    images: HashMap<u32, Value>,
    attempts: HashMap<(u32, u32), AttemptRow>,
    has_rows: bool,
}

impl Recorder {
    /// Folds what is recorded into the state it led to.
    pub fn open(
        ports: &Ports,
        job: &Job,
        recorded: Vec<RecordedEvent>,
        deadline: Arc<Deadline>,
    ) -> Result<(Self, RunState), RunError> {
        let mut state = RunState::new(job.plan.clone(), job.settings);
        let mut recorder = Self {
            store: ports.store.clone(),
            outage: Outage {
                deadline,
                run: job.run.id.clone(),
            },
            lease: job.lease.clone(),
            run: job.run.clone(),
            last_seq: 0,
            batch: Batch::default(),
            images: HashMap::new(),
            attempts: HashMap::new(),
            has_rows: false,
        };
        for stored in recorded {
            let event: Event =
                serde_json::from_value(stored.body).map_err(|error| RunError::Unreadable {
                    seq: stored.seq,
                    reason: error.to_string(),
                })?;
            let (next, actions) = advance(state, &event, stored.at.timestamp_millis())?;
            state = next;
            recorder.last_seq = stored.seq;
            recorder.attempt_rows(&event, &actions, stored.at);
            recorder.has_rows = true;
        }
        // These rows are in the store already.
        recorder.batch = Batch::default();
        Ok((recorder, state))
    }

    /// Takes over what is recorded of steps and is no part of their events.
    pub fn take_over(&mut self, steps: Vec<StepRow>) {
        let known = steps.into_iter().filter(|row| !row.images.is_null());
        self.images = known.map(|row| (row.step, row.images)).collect();
    }

    /// Remembers what images a step used or made.
    pub fn images(&mut self, step: u32, images: Value) {
        self.images.insert(step, images);
    }

    /// Adds an event to the transaction.
    pub fn event(&mut self, event: &Event, actions: &[Action], at: DateTime<Utc>) {
        self.last_seq += 1;
        let body = serde_json::to_value(event).unwrap_or(Value::Null);
        self.batch.events.push(RecordedEvent {
            seq: self.last_seq,
            at,
            kind: event.kind().to_owned(),
            body,
        });
        self.attempt_rows(event, actions, at);
    }

    /// Follows attempts from their start to their end.
    fn attempt_rows(&mut self, event: &Event, actions: &[Action], at: DateTime<Utc>) {
        let ended = match event {
            Event::Started {
                step,
                attempt,
                container,
                ..
            } => {
                if let Some(row) = self.attempts.get_mut(&(*step, *attempt)) {
                    row.container = Some(container.clone());
                    self.batch.attempts.push(row.clone());
                }
                None
            }
            Event::Ended {
                step,
                attempt,
                outcome,
            } => Some((*step, *attempt, describe(outcome))),
            Event::Stopped { step, attempt } => {
                Some((*step, *attempt, ("stopped".to_owned(), None)))
            }
            _ => None,
        };
        if let Some((step, attempt, (outcome, exit_code))) = ended
            && let Some(mut row) = self.attempts.remove(&(step, attempt))
        {
            row.outcome = Some(outcome);
            row.exit_code = exit_code;
            row.ended_at = Some(at);
            self.batch.attempts.push(row);
        }
        for action in actions {
            if let Action::Start { step, attempt } = *action {
                let row = AttemptRow {
                    step,
                    attempt,
                    container: None,
                    outcome: None,
                    exit_code: None,
                    started_at: at,
                    ended_at: None,
                };
                self.batch.attempts.push(row.clone());
                self.attempts.insert((step, attempt), row);
            }
        }
    }

    /// Writes the transaction and returns the steps that it changed.
    pub async fn commit(
        &mut self,
        state: &mut RunState,
        at: DateTime<Utc>,
    ) -> Result<BTreeSet<u32>, crate::ports::StoreError> {
        let mut touched = state.take_touched();
        if !std::mem::replace(&mut self.has_rows, true) {
            touched = (0..state.plan().steps().len() as u32).collect();
            self.batch.prepared = Some(self.run.prepared.clone());
        }
        let steps = touched.iter().map(|step| self.step_row(state, *step));
        self.batch.steps = steps.collect();
        self.update_run(state, at);
        self.batch.run = Some(self.run.clone());
        keep_last(&mut self.batch.attempts);
        let batch = std::mem::take(&mut self.batch);
        let store = self.store.as_ref();
        self.outage.record(store, &self.lease, &batch).await?;
        Ok(touched)
    }

    fn step_row(&self, state: &RunState, step: u32) -> StepRow {
        let it = state.plan().step(step);
        let progress = state.step(step);
        StepRow {
            step,
            id: it.id.clone(),
            kind: it.kind.word().to_owned(),
            status: state.step_status(step),
            ignored: progress.ignored,
            attempts: progress.attempt,
            exit_code: state.exit_code(step),
            reason: state.reason(step),
            started_at: progress
                .started_at
                .and_then(DateTime::from_timestamp_millis),
            ended_at: progress.ended_at.and_then(DateTime::from_timestamp_millis),
            images: self.images.get(&step).cloned().unwrap_or(Value::Null),
        }
    }

    fn update_run(&mut self, state: &RunState, at: DateTime<Utc>) {
        self.run.status = state.status();
        self.run.reason = state.verdict().and_then(|verdict| verdict.reason.clone());
        self.run.steps = state.plan().steps().len() as u32;
        self.run.steps_ended = self.run.steps - state.open();
        if self.run.status.is_ended() {
            self.run.ended_at = Some(at);
        }
    }
}

/// A row that changed twice in one transaction is written once.
fn keep_last(rows: &mut Vec<AttemptRow>) {
    let mut seen = std::collections::HashSet::new();
    rows.reverse();
    rows.retain(|row| seen.insert((row.step, row.attempt)));
    rows.reverse();
}

fn describe(outcome: &Outcome) -> (String, Option<i64>) {
    match outcome {
        Outcome::Exited { code: 0, .. } => ("succeeded".to_owned(), Some(0)),
        Outcome::Exited { code, .. } => ("failed".to_owned(), Some(*code)),
        Outcome::Faulted { .. } => ("errored".to_owned(), None),
    }
}

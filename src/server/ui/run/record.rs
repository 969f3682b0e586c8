//! All that the page of a run shows, read at one moment.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    app::{Request, outline},
    engine::StepStatus,
    plan::{Plan, critical_path},
    ports::{AttemptRow, LogSummary, Place, RecordedEvent, RunRow, StepRow},
    server::{
        Api,
        ui::{failure::Failure, graph::Drawing},
    },
};

/// A run with its steps, attempts, events and logs.
pub(super) struct Record {
    /// The run.
    pub run: RunRow,
    /// What was asked, if it can be read.
    pub request: Option<Request>,
    /// Where it stands in its queue, while it does.
    pub place: Option<Place>,
    /// The steps, in file order; those of the plan before any is recorded.
    pub steps: Vec<StepRow>,
    /// Their attempts.
    pub attempts: Vec<AttemptRow>,
    /// What happened.
    pub events: Vec<RecordedEvent>,
    /// The logs that hold anything.
    pub logs: Vec<LogSummary>,
    /// Those of generations whose worker was lost.
    pub earlier: Vec<LogSummary>,
    /// The plan, if it can be made without the run's secrets.
    pub plan: Option<Arc<Plan>>,
    /// Where the plan's steps stand on the page.
    pub drawing: Option<Arc<Drawing>>,
    /// Whether it was tried to make the plan.
    is_planned: bool,
}

impl Record {
    /// Reads everything.
    pub async fn read(api: &Api, run: &str) -> Result<Self, Failure> {
        let run = api.app.ports.store.run(run).await?;
        let request = serde_json::from_value(run.request.clone()).ok();
        let mut record = Self {
            run,
            request,
            place: None,
            steps: Vec::new(),
            attempts: Vec::new(),
            events: Vec::new(),
            logs: Vec::new(),
            earlier: Vec::new(),
            plan: None,
            drawing: None,
            is_planned: false,
        };
        record.read_again(api).await?;
        Ok(record)
    }

    /// Reads what may have changed.
    pub async fn read_again(&mut self, api: &Api) -> Result<(), Failure> {
        let store = &api.app.ports.store;
        let id = self.run.id.clone();
        // The run first: of one that has ended, everything else is there.
        self.run = store.run(&id).await?;
        self.place = api.app.place(&self.run).await?;
        self.steps = store.steps(&id).await?;
        self.attempts = store.attempts(&id).await?;
        self.events = store.events(&id, self.run.generation).await?;
        let logs = api.frames.logs(&id).await?;
        let is_present = |it: &LogSummary| it.key.generation == self.run.generation;
        (self.logs, self.earlier) = logs.into_iter().partition(is_present);
        self.make_plan();
        if self.steps.is_empty()
            && let Some(plan) = &self.plan
        {
            self.steps = foreseen(plan);
        }
        Ok(())
    }

    /// Makes the plan, once the task file is known: a triggered run leaves reading it to its worker.
    fn make_plan(&mut self) {
        let Some(request) = self.request.as_mut().filter(|_| !self.is_planned) else {
            return;
        };
        if let Some(text) = self.run.prepared["text"].as_str() {
            text.clone_into(&mut request.text);
        }
        self.is_planned = !request.text.is_empty();
        if self.is_planned {
            self.plan = outline(request).ok();
            self.drawing = self
                .plan
                .as_deref()
                .map(|it| Arc::new(Drawing::new(&it.into())));
        }
    }

    /// The attempts of a step.
    pub fn attempts_of(&self, step: u32) -> impl Iterator<Item = &AttemptRow> {
        self.attempts.iter().filter(move |it| it.step == step)
    }

    /// The logs of a step that lost workers wrote.
    pub fn earlier_of(&self, step: u32) -> impl Iterator<Item = &LogSummary> {
        self.earlier.iter().filter(move |it| it.key.step == step)
    }

    /// How many lines the log of an attempt has.
    pub fn lines(&self, step: u32, attempt: u32) -> u64 {
        let found = self
            .logs
            .iter()
            .find(|it| (it.key.step, it.key.attempt) == (step, attempt));
        found.map_or(0, |it| it.lines)
    }

    /// The chain of steps that decides how long the run takes: by what they took, or before that by their number.
    pub fn critical(&self, now: DateTime<Utc>) -> Vec<u32> {
        let Some(plan) = &self.plan else {
            return Vec::new();
        };
        let took = |step: &StepRow| {
            let start = step.started_at?;
            Some((step.ended_at.unwrap_or(now) - start).num_milliseconds())
        };
        let has_begun = self.steps.iter().any(|it| it.started_at.is_some());
        let weight = |step: u32| match self.steps.get(step as usize).filter(|_| has_begun) {
            Some(step) => took(step).map_or(0, |it| it.max(1) as u64),
            None => 1,
        };
        let path = critical_path(plan, weight);
        let did_anything = |it: &u32| !has_begun || weight(*it) > 0;
        path.steps.into_iter().filter(did_anything).collect()
    }
}

/// The steps of a plan of which nothing has happened.
fn foreseen(plan: &Plan) -> Vec<StepRow> {
    let steps = (0..).zip(plan.steps());
    let row = |(position, step): (u32, &crate::spec::Step)| StepRow {
        step: position,
        id: step.id.clone(),
        kind: step.kind.word().to_owned(),
        status: StepStatus::Waiting,
        ignored: false,
        attempts: 0,
        exit_code: None,
        reason: None,
        started_at: None,
        ended_at: None,
        images: serde_json::Value::Null,
    };
    steps.map(row).collect()
}

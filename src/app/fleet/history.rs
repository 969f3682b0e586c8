//! The builds of a task, read from its recorded runs.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    super::{App, AppError, Request, abandon::CLIENT_LOST},
    makers::version,
};
use crate::{
    engine::RunStatus,
    fleet::{Fact, InputSet, Origin, Outcome, image_name},
    ports::{RunFilter, RunRow, StepRow, TriggerKind},
    spec::dependencies::{Dependencies, ImageRecord},
};

/// How many runs of a task are looked at.
const RUNS: u32 = 50;

/// What a build was decided to be made from; recorded as the details of its run's cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Decided {
    /// The task.
    pub task: String,
    /// The inputs.
    pub inputs: InputSet,
    /// The epoch.
    pub epoch: u32,
    /// What set it off.
    pub origin: Option<Origin>,
}

impl Decided {
    /// The fact that it was queued.
    pub fn queued(self, run: String, at: DateTime<Utc>) -> Fact {
        Fact::Queued {
            task: self.task,
            inputs: self.inputs,
            epoch: self.epoch,
            run,
            origin: self.origin,
            at,
        }
    }
}

/// What the runs of a task tell.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Its builds.
    pub facts: Vec<Fact>,
    /// How long the last good one took, in seconds.
    pub seconds: Option<u64>,
    /// What the last good one stood on.
    pub bases: Vec<String>,
    /// What the last good one pushed.
    digests: Option<BTreeMap<String, String>>,
}

impl App {
    /// Reads the builds of a task, oldest first.
    pub(super) async fn history(&self, task: &str) -> Result<History, AppError> {
        let filter = RunFilter {
            name: Some(task.to_owned()),
            limit: RUNS,
            ..RunFilter::default()
        };
        let mut history = History::default();
        let mut epochs = HashMap::new();
        for listed in self.ports.store.runs(&filter).await?.into_iter().rev() {
            let row = self.ports.store.run(&listed.id).await?;
            let steps = self.ports.store.steps(&listed.id).await?;
            history.add(&row, &steps, &mut epochs);
        }
        Ok(history)
    }

    /// Reads what became of a run that a wave queued.
    pub(super) async fn ended(&self, run: &str) -> Result<Option<Fact>, AppError> {
        let row = self.ports.store.run(run).await?;
        let steps = self.ports.store.steps(run).await?;
        Ok(end(&row, made(run, &steps).digests, false))
    }
}

impl History {
    fn add(&mut self, row: &RunRow, steps: &[StepRow], epochs: &mut HashMap<String, u32>) {
        let made = made(&row.id, steps);
        let is_good = row.status == RunStatus::Succeeded && !made.digests.is_empty();
        let decided = decided(row);
        // What a person's run did not push says nothing of the fleet; what a wave's run did not, does.
        if decided.is_none() && !is_good {
            return;
        }
        if is_good {
            let took = row
                .started_at
                .zip(row.ended_at)
                .map(|(start, end)| (end - start).num_seconds());
            self.seconds = took.and_then(|it| u64::try_from(it).ok());
            self.bases = made.bases.keys().cloned().collect();
        }
        let (inputs, epoch, origin) = match decided {
            Some(it) => (it.inputs, Some(it.epoch), it.origin),
            None => (inputs_of(row, made.bases), None, None),
        };
        let key = inputs.key();
        let next = epochs.entry(key.clone()).or_insert(0);
        let epoch = epoch.unwrap_or(*next);
        *next = (*next).max(epoch + 1);
        self.facts.push(Fact::Queued {
            task: row.name.clone(),
            inputs,
            epoch,
            run: row.id.clone(),
            origin,
            at: row.created_at,
        });
        let is_same = is_good && self.digests.as_ref() == Some(&made.digests);
        if is_good {
            self.digests = Some(made.digests.clone());
        }
        self.facts.extend(end(row, made.digests, is_same));
        self.facts.extend(again(row, key, epoch + 1));
    }
}

/// A run whose careen was killed says nothing of its task: it is built again without being asked for.
fn again(row: &RunRow, key: String, epoch: u32) -> Option<Fact> {
    let is_lost = row.status == RunStatus::Errored && row.reason.as_deref() == Some(CLIENT_LOST);
    is_lost.then_some(Fact::Raised {
        task: row.name.clone(),
        key: Some(key),
        epoch,
        at: row.ended_at?,
    })
}

/// Reads what a wave decided that a run is to be built on.
pub(super) fn decided(row: &RunRow) -> Option<Decided> {
    let trigger = row
        .trigger
        .as_ref()
        .filter(|it| it.kind == TriggerKind::Fleet)?;
    serde_json::from_value(trigger.details.clone()).ok()
}

fn inputs_of(row: &RunRow, bases: BTreeMap<String, String>) -> InputSet {
    let request: Option<Request> = serde_json::from_value(row.request.clone()).ok();
    InputSet {
        version: request.as_ref().map(version).unwrap_or_default(),
        commit: request.map(|it| it.vars.commit).unwrap_or_default(),
        bases,
    }
}

fn end(row: &RunRow, digests: BTreeMap<String, String>, unchanged: bool) -> Option<Fact> {
    let at = row.ended_at?;
    let outcome = match row.status {
        RunStatus::Succeeded => Outcome::Built { digests, unchanged },
        status => Outcome::Failed {
            reason: row.reason.clone().unwrap_or_else(|| status.to_string()),
        },
    };
    let run = row.id.clone();
    Some(Fact::Ended { run, outcome, at })
}

/// What steps pushed, and what their builds stood on, by complete names.
#[derive(Default)]
struct MadeBySteps {
    digests: BTreeMap<String, String>,
    bases: BTreeMap<String, String>,
}

fn made(run: &str, steps: &[StepRow]) -> MadeBySteps {
    let mut made = MadeBySteps::default();
    for image in steps.iter().filter_map(|it| it.images.as_array()).flatten() {
        if let (Some(name), Some(digest)) = (image["image"].as_str(), image["digest"].as_str())
            && let Ok(name) = image_name(name)
            // A name that has the run in it is given once.
            && !name.contains(run)
        {
            made.digests.insert(name, digest.to_owned());
        }
        let records = serde_json::from_value::<Vec<Dependencies>>(image["dependencies"].clone());
        for record in records.unwrap_or_default() {
            let others = record.buildtime_dependency.unwrap_or_default();
            made.bases.extend(
                record
                    .runtime_dependency
                    .iter()
                    .chain(&others)
                    .filter_map(base),
            );
        }
    }
    made
}

fn base(record: &ImageRecord) -> Option<(String, String)> {
    let name = image_name(&record.reference).ok()?;
    (!record.digest.is_empty()).then(|| (name, record.digest.clone()))
}

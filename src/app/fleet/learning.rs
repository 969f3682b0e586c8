//! What the ends of runs teach: what was built on what, what it gave, and what tasks make whose files are elsewhere.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{
    super::{App, AppError, Request, abandon::CLIENT_LOST},
    decided::Decided,
    makers::{run_version, took},
    view::View,
};
use crate::{
    engine::RunStatus,
    fleet::{Fact, InputSet, Made, Outcome, image_name},
    ports::{FleetEntry, Pin, RunRow, StepRow, StoreError, TaskEntry, TaskError, TaskMakes},
    spec::dependencies::{Dependencies, ImageRecord},
};

/// How many ends are looked up at once.
const LOT: u32 = 100;

/// A run that has ended, with all that tells what it made.
struct Ended {
    row: RunRow,
    request: Option<Request>,
    decided: Option<Decided>,
    made: MadeBySteps,
}

impl App {
    /// Learns from all runs that have ended since, each once whichever process does so.
    pub(super) async fn learn_ends(&self, view: &mut View) -> Result<(), AppError> {
        loop {
            let runs = self.fleet.store.unlearned_ends(LOT).await?;
            for run in &runs {
                let lesson = self.lesson(run, view).await?;
                self.fleet.store.learn_end(run, &lesson).await?;
                view.catch_up(&*self.fleet.store).await?;
            }
            if runs.len() < LOT as usize {
                return Ok(());
            }
        }
    }

    /// What the end of a run teaches.
    async fn lesson(&self, run: &str, view: &View) -> Result<Vec<FleetEntry>, AppError> {
        let row = match self.ports.store.run(run).await {
            Ok(row) => row,
            Err(StoreError::NoSuchRun(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        match self.tasks.task(&row.name).await {
            Ok(_) => {}
            Err(TaskError::NoSuchTask(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        }
        let request: Option<Request> = serde_json::from_value(row.request.clone()).ok();
        // What strangers had built is nobody's image.
        if request.as_ref().is_some_and(|it| it.is_restricted) {
            return Ok(Vec::new());
        }
        let steps = self.ports.store.steps(run).await?;
        let ended = Ended {
            made: made(run, &steps),
            decided: Decided::of(&row),
            request,
            row,
        };
        Ok(ended.entries(view))
    }
}

impl Ended {
    fn entries(mut self, view: &View) -> Vec<FleetEntry> {
        self.keep_to_task(view);
        let is_good = self.row.status == RunStatus::Succeeded && !self.made.digests.is_empty();
        // What a person's run did not push says nothing of the fleet; what was decided and not built, does.
        if self.decided.is_none() && !is_good {
            return Vec::new();
        }
        let mut entries = Vec::new();
        if is_good {
            entries.extend(took(&self.row).map(FleetEntry::Task));
            entries.extend(self.makes(view).map(FleetEntry::Task));
            entries.extend(self.source(view).map(FleetEntry::Fact));
        }
        entries.extend(self.facts(view).into_iter().map(FleetEntry::Fact));
        entries
    }

    /// Leaves out images and bases that the task's own files do not name: those of a run with other values.
    fn keep_to_task(&mut self, view: &View) {
        let id = view.fleet.graph().task(&self.row.name);
        let node = id.map(|id| view.fleet.graph().node(id));
        if let Some(node) = node.filter(|it| !it.images.is_empty()) {
            self.made.digests.retain(|it, _| node.images.contains(it));
        }
        if let Some(node) = node.filter(|it| !it.bases.is_empty()) {
            self.made.bases.retain(|it, _| node.bases.contains(it));
        }
        // What it built itself is no base.
        let digests = &self.made.digests;
        self.made.bases.retain(|it, _| !digests.contains_key(it));
    }

    /// What the task makes, where its own files do not tell.
    fn makes(&self, view: &View) -> Option<TaskEntry> {
        let known = view.makes.get(&self.row.name);
        if known.is_some_and(|it| it.run.is_none() && !it.builds.is_empty()) {
            return None;
        }
        let pin = serde_json::from_value(self.row.prepared["context"].clone()).ok();
        let makes = TaskMakes {
            task: self.row.name.clone(),
            builds: vec![Made {
                images: self.made.digests.keys().cloned().collect(),
                bases: self.made.bases.keys().cloned().collect(),
            }],
            pin: pin.filter(|it| matches!(it, Pin::Commit { .. })),
            run: Some(self.row.id.clone()),
        };
        let is_news = known.is_none_or(|it| (&it.builds, &it.pin) != (&makes.builds, &makes.pin));
        is_news.then_some(TaskEntry::Makes(makes))
    }

    /// The commit that counts since, where only runs tell.
    fn source(&self, view: &View) -> Option<Fact> {
        let known = view.fleet.facts().task(&self.row.name);
        // A build on what was decided says nothing new, unless nothing was known when it was.
        let is_decided = self.decided.is_some() && known.is_some_and(|it| !it.commit.is_empty());
        if is_decided || self.makes_is_written(view) {
            return None;
        }
        let InputSet {
            version, commit, ..
        } = self.inputs();
        let is_news = known.is_none_or(|it| (&it.version, &it.commit) != (&version, &commit));
        is_news.then(|| Fact::Source {
            task: self.row.name.clone(),
            version,
            commit,
            at: self.row.created_at,
        })
    }

    fn makes_is_written(&self, view: &View) -> bool {
        let known = view.makes.get(&self.row.name);
        known.is_some_and(|it| it.run.is_none() && !it.builds.is_empty())
    }

    fn inputs(&self) -> InputSet {
        let commit = self.row.prepared["commit"].as_str().unwrap_or_default();
        InputSet {
            version: self
                .request
                .as_ref()
                .map(|it| run_version(it, &self.row.prepared))
                .unwrap_or_default(),
            commit: commit.to_owned(),
            bases: self.made.bases.clone(),
        }
    }

    fn facts(mut self, view: &View) -> Vec<Fact> {
        let actual = self.inputs();
        if let Some(decided) = &mut self.decided
            && decided.inputs.bases.is_empty()
            && !actual.bases.is_empty()
        {
            // Only the run told what it stands on.
            decided.inputs = actual;
        }
        let known = view.fleet.facts().task(&self.row.name);
        let builds = known.map(|it| it.builds.as_slice()).unwrap_or_default();
        let before = known.and_then(|it| it.last_built());
        let before = before.and_then(|it| match &it.end {
            Some((Outcome::Built { digests, .. }, _)) => Some(digests),
            _ => None,
        });
        let is_same = before == Some(&self.made.digests);
        let decided = self.decided.clone().unwrap_or_else(|| {
            let inputs = self.inputs();
            let key = inputs.key();
            let of_key = builds.iter().filter(|it| it.key == key);
            Decided {
                task: self.row.name.clone(),
                epoch: of_key.map(|it| it.epoch + 1).max().unwrap_or(0),
                inputs,
                origin: None,
                rollout: None,
            }
        });
        let again = again(&self.row, &decided);
        let queued = decided.queued(self.row.id.clone(), self.row.created_at);
        let end = end(&self.row, self.made.digests, is_same);
        [Some(queued), end, again].into_iter().flatten().collect()
    }
}

/// A run whose careen was killed says nothing of its task: it is built again without being asked for.
fn again(row: &RunRow, decided: &Decided) -> Option<Fact> {
    let is_lost = row.status == RunStatus::Errored && row.reason.as_deref() == Some(CLIENT_LOST);
    is_lost.then_some(Fact::Raised {
        task: decided.task.clone(),
        key: Some(decided.inputs.key()),
        epoch: decided.epoch + 1,
        at: row.ended_at?,
    })
}

fn end(row: &RunRow, digests: BTreeMap<String, String>, unchanged: bool) -> Option<Fact> {
    let at: DateTime<Utc> = row.ended_at?;
    let outcome = match row.status {
        RunStatus::Succeeded => Outcome::Built { digests, unchanged },
        status => Outcome::Failed {
            reason: row.reason.clone().unwrap_or_else(|| status.to_string()),
            is_errored: status == RunStatus::Errored,
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
            let all = record.runtime_dependency.iter().chain(&others);
            made.bases.extend(all.filter_map(base));
        }
    }
    made
}

fn base(record: &ImageRecord) -> Option<(String, String)> {
    let name = image_name(&record.reference).ok()?;
    (!record.digest.is_empty()).then(|| (name, record.digest.clone()))
}

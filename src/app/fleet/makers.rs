//! What a stored task makes and stands on, read from its own files as they are now.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::Path,
};

use serde_json::{Value, json};

use super::{
    super::{App, AppError, Occasion, Overrides, Request},
    view::View,
};
use crate::{
    dockerfile::{Dockerfile, Options},
    fleet::{Fact, Made, image_name},
    plan::Plan,
    ports::{FleetEntry, RunRow, TaskEntry, TaskFilter, TaskMakes, TaskRow, sha256},
    spec::{
        Build, StepKind,
        context::{self, ContextRef},
        dependencies::base_images,
    },
    tasks::{Definition, Status},
};

/// What a task says of itself.
struct Said {
    /// Its builds; `None` where a Dockerfile is not on this machine.
    builds: Option<Vec<Made>>,
    /// What it pushes, as far as its text is to be had.
    images: Vec<String>,
    version: String,
    /// The commit of a folder of this machine.
    commit: Option<String>,
}

impl App {
    /// Learns what all tasks make, as they are now; what cannot be read is left as it was, said why.
    pub(super) async fn learn_tasks(&self) -> Result<Vec<String>, AppError> {
        // Reading many files takes its time, in which nobody else is to wait.
        let mut read = Vec::new();
        for row in self.tasks.tasks(&TaskFilter::default()).await? {
            let said = match row.definition.status {
                Status::Disabled => None,
                Status::Enabled => Some(self.said(&row).await),
            };
            read.push((row.definition.name, said));
        }
        let mut view = self.fleet.view().await?;
        let (mut entries, mut remarks) = (Vec::new(), Vec::new());
        let mut gone: BTreeSet<String> = view.makes.keys().cloned().collect();
        for (name, said) in read {
            match said {
                Some(Ok(said)) => entries.extend(self.news(&name, said, &view)),
                Some(Err(error)) => remarks.push(format!("task {name} is as it was: {error}")),
                None => {
                    remarks.push(format!("task {name} is left out: it is disabled"));
                    continue;
                }
            }
            gone.remove(&name);
        }
        let gone = gone.into_iter().map(|task| TaskEntry::Gone { task });
        entries.extend(gone.map(FleetEntry::Task));
        self.learn_entries(&entries, &mut view).await?;
        Ok(remarks)
    }

    /// Learns what a task makes that was stored just now.
    pub(in super::super) async fn learn_task(&self, row: &TaskRow) -> Result<(), AppError> {
        let mut view = self.fleet.view().await?;
        let name = &row.definition.name;
        if row.definition.status == Status::Disabled {
            return self.forget_makes(&mut view, name).await;
        }
        let said = self.said(row).await?;
        let entries = self.news(name, said, &view);
        self.learn_entries(&entries, &mut view).await
    }

    /// Takes a task out of the fleet.
    pub(in super::super) async fn forget_task(&self, name: &str) -> Result<(), AppError> {
        let mut view = self.fleet.view().await?;
        self.forget_makes(&mut view, name).await
    }

    async fn forget_makes(&self, view: &mut View, name: &str) -> Result<(), AppError> {
        if !view.makes.contains_key(name) {
            return Ok(());
        }
        let task = name.to_owned();
        let gone = FleetEntry::Task(TaskEntry::Gone { task });
        self.learn_entries(&[gone], view).await
    }

    pub(super) async fn learn_entries(
        &self,
        entries: &[FleetEntry],
        view: &mut View,
    ) -> Result<(), AppError> {
        if !entries.is_empty() {
            self.fleet.store.add_entries(entries).await?;
        }
        Ok(view.catch_up(&*self.fleet.store).await?)
    }

    /// Reads what a task says: from its own files, or as much as its stored definition tells.
    async fn said(&self, row: &TaskRow) -> Result<Said, AppError> {
        if !is_here(&row.definition) {
            return self.said_elsewhere(row).await;
        }
        let (mut request, secrets) = self.task_request(row, Overrides::default()).await?;
        self.read_alias_files(&mut request, &secrets, false).await?;
        let plan = self.prepare(&request, &secrets)?.plan;
        Ok(Said {
            builds: builds(&plan, &request),
            images: sorted(pushed(&plan, &request.vars.id)),
            version: version(&request),
            commit: Some(request.vars.commit.clone()),
        })
    }

    async fn said_elsewhere(&self, row: &TaskRow) -> Result<Said, AppError> {
        let (request, secrets) = self.occasional_request(row, Occasion::default()).await?;
        let is_here = request.deferred.as_ref().is_some_and(|it| !it.reads_file);
        let plan = is_here.then(|| self.prepare(&request, &secrets).ok());
        let plan = plan.flatten().map(|it| it.plan);
        Ok(Said {
            builds: None,
            images: plan.map_or_else(Vec::new, |it| sorted(pushed(&it, &request.vars.id))),
            version: version(&request),
            commit: None,
        })
    }

    /// What of that is not known yet.
    fn news(&self, task: &str, said: Said, view: &View) -> Vec<FleetEntry> {
        let known = view.makes.get(task);
        let makes = makes(task, &said, known);
        let facts = view.fleet.facts().task(task);
        let commit = said.commit.unwrap_or_else(|| {
            let known = facts.map(|it| it.commit.clone());
            known.unwrap_or_default()
        });
        let is_other = facts.is_none_or(|it| {
            it.since.is_none() || (&it.version, &it.commit) != (&said.version, &commit)
        });
        let source = is_other.then(|| Fact::Source {
            task: task.to_owned(),
            version: said.version,
            commit,
            at: self.ports.clock.now(),
        });
        let is_news = known != Some(&makes);
        let makes = is_news.then_some(FleetEntry::Task(TaskEntry::Makes(makes)));
        makes
            .into_iter()
            .chain(source.map(FleetEntry::Fact))
            .collect()
    }
}

/// What a task makes by what it says, and by what is known of it where it does not say.
fn makes(task: &str, said: &Said, known: Option<&TaskMakes>) -> TaskMakes {
    let of_runs = known.filter(|it| it.run.is_some());
    if let (None, Some(known)) = (&said.builds, of_runs) {
        return with_images(known.clone(), &said.images);
    }
    let made = Made {
        images: said.images.clone(),
        bases: Vec::new(),
    };
    TaskMakes {
        task: task.to_owned(),
        builds: said
            .builds
            .clone()
            .unwrap_or_else(|| match made.images.is_empty() {
                true => Vec::new(),
                false => vec![made],
            }),
        pin: None,
        // Without bases it is not the whole truth: a run tells more.
        run: said.builds.is_none().then(String::new),
    }
}

/// What runs told, under the names that the task gives now.
fn with_images(known: TaskMakes, images: &[String]) -> TaskMakes {
    let names: BTreeSet<&String> = known.builds.iter().flat_map(|it| &it.images).collect();
    if images.is_empty() || images.iter().collect::<BTreeSet<_>>() == names {
        return known;
    }
    let bases = known.builds.iter().flat_map(|it| &it.bases);
    let made = Made {
        images: images.to_vec(),
        bases: bases.filter(|it| !images.contains(it)).cloned().collect(),
    };
    TaskMakes {
        builds: vec![made],
        ..known
    }
}

/// Says whether the task's files are in a folder of this machine.
fn is_here(task: &Definition) -> bool {
    let Some(spelled) = &task.context else {
        return true;
    };
    let read = context::read(spelled);
    read.is_ok_and(|it| matches!(it.context, ContextRef::Folder(_) | ContextRef::Nothing))
        && std::path::Path::new(spelled).is_dir()
}

fn sorted(images: HashSet<String>) -> Vec<String> {
    let mut images: Vec<String> = images.into_iter().collect();
    images.sort();
    images
}

/// Tells versions of a task apart: its text and its values.
fn version(request: &Request) -> String {
    version_of(&json!(request.text), request)
}

/// The version that a run was of. What its worker read from a folder of its machine is recorded with the run.
pub(super) fn run_version(request: &Request, prepared: &Value) -> String {
    let deferred = request.deferred.as_ref().filter(|it| it.reads_file);
    let is_folder = |spelled: &String| {
        let read = context::read(spelled);
        read.is_ok_and(|it| matches!(it.context, ContextRef::Folder(_)))
    };
    match deferred
        .and_then(|it| it.context.as_ref())
        .is_some_and(is_folder)
    {
        true => version_of(&prepared["text"], request),
        false => version(request),
    }
}

fn version_of(text: &Value, request: &Request) -> String {
    let said = json!([text, request.values]).to_string();
    sha256(said.as_bytes())
}

/// How long a good run took.
pub(super) fn took(row: &RunRow) -> Option<TaskEntry> {
    let (start, end) = row.started_at.zip(row.ended_at)?;
    Some(TaskEntry::Took {
        task: row.name.clone(),
        seconds: u64::try_from((end - start).num_seconds()).ok()?,
    })
}

/// The complete names that a plan pushes, those aside that only this run gives: no other run moves them.
fn pushed(plan: &Plan, run: &str) -> HashSet<String> {
    let pushes = plan.steps().iter().flat_map(|step| match &step.kind {
        StepKind::Push(push) => push.images.as_slice(),
        StepKind::Build(_) | StepKind::Cmd(_) => &[],
    });
    let lasting = pushes.filter(|it| !it.contains(run));
    lasting.filter_map(|it| image_name(it).ok()).collect()
}

/// Reads each build's Dockerfile; `None` when one is not on this machine.
fn builds(plan: &Plan, request: &Request) -> Option<Vec<Made>> {
    let pushed = pushed(plan, &request.vars.id);
    // What is only built stays on the engine: no tag of a registry tells of it.
    let mut local: HashSet<String> = HashSet::new();
    let mut builds = Vec::new();
    for step in plan.steps() {
        let StepKind::Build(build) = &step.kind else {
            continue;
        };
        let mut bases = bases(build, request)?;
        bases.retain(|it| !local.contains(it));
        let names = build.tags.iter().filter_map(|it| image_name(it).ok());
        let (images, others): (Vec<_>, Vec<_>) = names.partition(|it| pushed.contains(it));
        local.extend(others);
        builds.push(Made { images, bases });
    }
    Some(builds)
}

fn bases(build: &Build, request: &Request) -> Option<Vec<String>> {
    let folder = request.folder()?;
    let context = folder.join(&build.context);
    let file = match &build.dockerfile {
        Some(file) => folder.join(file),
        None => context.join("Dockerfile"),
    };
    bases_of(&file, build, request)
}

fn bases_of(file: &Path, build: &Build, request: &Request) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(file).ok()?;
    let given = build.build_args.iter();
    let build_args: BTreeMap<_, _> = given
        .filter_map(|(name, it)| Some((name.clone(), it.clone()?)))
        .collect();
    let options = Options {
        build_args: build_args.into_iter().collect(),
        target: build.target.clone(),
        build_platform: format!("{}/{}", request.vars.os, request.vars.architecture),
        platform: build.platforms.first().cloned(),
    };
    let bases = Dockerfile::read(&text).0?.bases(&options).0?;
    let (images, findings) = base_images(&bases);
    (!findings.has_errors()).then(|| images.iter().map(|it| it.reference.to_string()).collect())
}

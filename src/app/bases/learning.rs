//! What a task's builds stand on: read from its Dockerfiles when it is stored, and from each run that succeeds.

use std::path::Path;

use super::super::{App, AppError, Overrides, ScanRequest, find_inside, outline, scan};
use crate::{
    dockerfile::Options,
    engine::{Event, RunStatus},
    ports::{NewBase, RunRow, TaskError, TaskRow},
    runner::local_build,
    spec::{Build, Step, StepKind, dependencies::KnownBase},
    tasks::{Definition, Status},
    triggers::{Base, Watched, watched},
};

/// Where a base is learned from that no run has built on yet.
const TASK: &str = "task";

impl App {
    /// Reads what a task's builds stand on from its Dockerfiles, as far as they can be read here without a network;
    /// the rest is learned from its first run.
    pub(in super::super) async fn learn_from_task(&self, row: &TaskRow) -> Result<(), AppError> {
        let task = &row.definition;
        if !is_watched(task) {
            return self.forget_bases(&task.name).await;
        }
        let known = match self.written_bases(row).await {
            Ok(known) => known,
            Err(error) => {
                tracing::info!(
                    task.name,
                    "its base images are learned from its first run: {error}"
                );
                Vec::new()
            }
        };
        // What a run stood on says more than the file does.
        if known.is_empty() || !self.bases.bases(Some(&task.name)).await?.is_empty() {
            return Ok(());
        }
        self.keep_bases(task, &known, TASK).await
    }

    /// Learns what a run that succeeded stood on. The run has ended all the same when that fails; the next one tells.
    pub(in super::super) async fn learn_from_run(&self, run: &RunRow, task: &str) {
        if task.is_empty() || run.status != RunStatus::Succeeded {
            return;
        }
        if let Err(error) = self.learn(run, task).await {
            tracing::error!(task, run.id, "its base images are not learned: {error}");
        }
    }

    async fn learn(&self, run: &RunRow, task: &str) -> Result<(), AppError> {
        let row = match self.tasks.task(task).await {
            Ok(row) => row,
            Err(TaskError::NoSuchTask(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let events = self.ports.store.events(&run.id, run.generation).await?;
        let based = events.into_iter().filter(|event| event.kind == "based");
        let mut known: Vec<KnownBase> = Vec::new();
        for event in based {
            if let Ok(Event::Based { bases, .. }) = serde_json::from_value(event.body) {
                known.extend(bases);
            }
        }
        if known.is_empty() || !is_watched(&row.definition) {
            return Ok(());
        }
        self.keep_bases(&row.definition, &known, &run.id).await
    }

    /// Takes the bases of a task away.
    pub(in super::super) async fn forget_bases(&self, task: &str) -> Result<(), AppError> {
        let now = self.ports.clock.now();
        Ok(self.bases.put_bases(task, &[], (TASK, now)).await?)
    }

    async fn keep_bases(
        &self,
        task: &Definition,
        known: &[KnownBase],
        from: &str,
    ) -> Result<(), AppError> {
        let mut bases: Vec<NewBase> = known
            .iter()
            .flat_map(|base| new_bases(task, base))
            .collect();
        // In one order everywhere, so that two servers do not wait for each other; of two alike the runtime's stays.
        bases.sort_by(|a, b| {
            (&a.base.key, !a.base.is_runtime).cmp(&(&b.base.key, !b.base.is_runtime))
        });
        bases.dedup_by(|a, b| a.base.key == b.base.key);
        let now = self.ports.clock.now();
        Ok(self
            .bases
            .put_bases(&task.name, &bases, (from, now))
            .await?)
    }

    async fn written_bases(&self, row: &TaskRow) -> Result<Vec<KnownBase>, AppError> {
        let (request, _) = self.task_request(row, Overrides::default()).await?;
        let Some(folder) = request.folder() else {
            return Ok(Vec::new());
        };
        let plan = outline(&request)?;
        let mut known = Vec::new();
        for step in plan.steps() {
            if let StepKind::Build(build) = &step.kind {
                known.extend(bases_of(folder, step, build)?);
            }
        }
        Ok(known)
    }
}

/// Says whether anything is done when a base of the task moves.
fn is_watched(task: &Definition) -> bool {
    let trigger = task.triggers.base_image.as_ref();
    trigger.is_some_and(|it| it.status == Status::Enabled)
}

fn bases_of(folder: &Path, step: &Step, build: &Build) -> Result<Vec<KnownBase>, AppError> {
    let Some(files) = local_build(step, build) else {
        return Ok(Vec::new());
    };
    let Some(path) = find_inside(folder, "", &files.dockerfile)? else {
        return Ok(Vec::new());
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| AppError::Files(format!("{}: {error}", path.display())))?;
    let given = |(name, value): &(String, Option<String>)| Some((name.clone(), value.clone()?));
    let request = ScanRequest {
        file: path.display().to_string(),
        text,
        options: Options {
            build_args: build.build_args.iter().filter_map(given).collect(),
            target: build.target.clone(),
            platform: build.platforms.first().cloned(),
            ..Options::default()
        },
        tags: build.tags.clone(),
        head_revision: String::new(),
    };
    let (images, _) = scan::read(&request)?;
    Ok(images.iter().map(|image| image.with_digest(None)).collect())
}

fn new_bases(task: &Definition, base: &KnownBase) -> Vec<NewBase> {
    let all = watched(task, base).into_iter();
    all.map(|watched| {
        let key = watched.key();
        let (image, rule, stood_on) = match watched {
            Watched::Tag(image) => (image, None, base.digest.clone()),
            // What is the newest already when it is first looked at is no news.
            Watched::Newest { image, rule } => (image, Some(rule), None),
        };
        NewBase {
            base: Base {
                key,
                is_runtime: base.is_runtime,
                stood_on,
            },
            repository: image.name(),
            rule,
        }
    })
    .collect()
}

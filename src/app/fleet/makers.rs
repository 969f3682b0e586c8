//! What a stored task makes and stands on, read from its own files as they are now.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use serde_json::json;

use super::super::{App, AppError, Overrides, Request};
use crate::{
    dockerfile::{Dockerfile, Options},
    fleet::{Fact, Made, Maker, image_name},
    plan::Plan,
    ports::{TaskRow, sha256},
    spec::{Build, StepKind, dependencies::base_images},
};

impl App {
    /// Reads what a task makes, and the version and commit that it is at.
    pub(super) async fn maker(&self, row: &TaskRow) -> Result<(Maker, Fact), AppError> {
        let task = row.definition.name.clone();
        let (mut request, secrets) = self.task_request(row, Overrides::default()).await?;
        self.read_alias_files(&mut request, &secrets, false).await?;
        let plan = self.prepare(&request, &secrets)?.plan;
        let builds = match builds(&plan, &request) {
            Some(builds) => builds,
            None => {
                self.recorded_builds(&task, (&plan, &request.vars.id))
                    .await?
            }
        };
        let source = Fact::Source {
            task: task.clone(),
            version: version(&request),
            commit: request.vars.commit.clone(),
            at: row.updated_at,
        };
        Ok((Maker { task, builds }, source))
    }

    /// What the last good run says, for a context that is not on this machine.
    async fn recorded_builds(
        &self,
        task: &str,
        (plan, id): (&Plan, &str),
    ) -> Result<Vec<Made>, AppError> {
        let bases = self.history(task).await?.bases;
        let images = pushed(plan, id).into_iter().collect();
        Ok(vec![Made { images, bases }])
    }
}

/// Tells versions of a task apart: its text and its values.
pub(super) fn version(request: &Request) -> String {
    let said = json!([request.text, request.values]).to_string();
    sha256(said.as_bytes())
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

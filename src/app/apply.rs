//! Makes the stored tasks match a folder of manifests.

use std::{collections::BTreeMap, path::Path};

use super::{AppError, TaskDesk, TaskWish};
use crate::{
    ports::{Expected, TaskFilter, TaskRow},
    tasks::{Change, Definition, diff, read},
};

/// What a folder of manifests says.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    /// The definitions, by the file that holds each.
    pub definitions: BTreeMap<String, Definition>,
    /// The files that cannot be used.
    pub broken: Vec<Broken>,
}

/// A manifest that cannot be used; the task it stands for stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Broken {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
}

/// One thing to be done to the stored tasks.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Step {
    /// The task.
    pub task: String,
    /// What is to be done.
    #[serde(flatten)]
    pub kind: StepKind,
}

/// What is to be done to a stored task.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum StepKind {
    /// It is new.
    Create {
        /// The file that holds it.
        file: String,
    },
    /// It differs, or did not come from this file.
    Update {
        /// The file that holds it.
        file: String,
        /// The version that differs.
        version: u32,
        /// Where it differs.
        changes: Vec<Change>,
    },
    /// Its file is gone.
    Delete,
}

impl Manifests {
    /// Reads every `.yaml` and `.yml` file of a folder, by name.
    pub fn read(folder: &Path) -> Result<Self, AppError> {
        let unreadable =
            |error: std::io::Error| AppError::Files(format!("{}: {error}", folder.display()));
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let is_manifest = path
                .extension()
                .is_some_and(|it| it == "yaml" || it == "yml");
            if is_manifest && path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        let mut manifests = Self::default();
        for path in files {
            manifests.add(&path);
        }
        Ok(manifests)
    }

    fn add(&mut self, path: &Path) {
        let text = |part: Option<&std::ffi::OsStr>| {
            part.map(|it| it.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        let (file, stem) = (text(path.file_name()), text(path.file_stem()));
        let definition = std::fs::read_to_string(path)
            .map_err(|error| error.to_string())
            .and_then(|it| read(&it, &stem).map_err(|error| error.to_string()))
            .and_then(|it| self.alone(it));
        match definition {
            Ok(definition) => {
                self.definitions.insert(file, definition);
            }
            Err(reason) => self.broken.push(Broken { file, reason }),
        }
    }

    /// Refuses a task that an earlier file holds already.
    fn alone(&self, definition: Definition) -> Result<Definition, String> {
        let mut all = self.definitions.iter();
        match all.find(|(_, it)| it.name == definition.name) {
            Some((file, _)) => Err(format!("{file} holds a task {}, too", definition.name)),
            None => Ok(definition),
        }
    }

    /// Says what would make the stored tasks match. Tasks made by hand are left alone.
    pub fn plan(&self, stored: &[TaskRow]) -> Vec<Step> {
        let mut steps = Vec::new();
        for (file, definition) in &self.definitions {
            let row = stored
                .iter()
                .find(|row| row.definition.name == definition.name);
            let kind = match row {
                None => StepKind::Create { file: file.clone() },
                Some(row)
                    if &row.definition == definition && row.manifest.as_ref() == Some(file) =>
                {
                    continue;
                }
                Some(row) => StepKind::Update {
                    file: file.clone(),
                    version: row.version,
                    changes: diff(&row.definition, definition),
                },
            };
            let task = definition.name.clone();
            steps.push(Step { task, kind });
        }
        let gone = stored.iter().filter(|row| self.is_gone(row));
        steps.extend(gone.map(|row| Step {
            task: row.definition.name.clone(),
            kind: StepKind::Delete,
        }));
        steps
    }

    /// A task goes with its file; one whose file is broken stays.
    fn is_gone(&self, row: &TaskRow) -> bool {
        let Some(file) = &row.manifest else {
            return false;
        };
        let names_it = |it: &Definition| it.name == row.definition.name;
        !self.broken.iter().any(|broken| broken.file == *file)
            && !self.definitions.values().any(names_it)
    }

    /// Compares with what is stored at a desk.
    pub async fn compare(&self, desk: &dyn TaskDesk) -> Result<Vec<Step>, AppError> {
        Ok(self.plan(&desk.list(&TaskFilter::default()).await?))
    }

    /// Does what was planned; a task that someone changed meanwhile is refused.
    pub async fn apply(&self, desk: &dyn TaskDesk, steps: &[Step]) -> Result<(), AppError> {
        for step in steps {
            let (file, expected) = match &step.kind {
                StepKind::Delete => {
                    desk.delete(&step.task).await?;
                    continue;
                }
                StepKind::Create { file } => (file, Expected::Nothing),
                StepKind::Update { file, version, .. } => (file, Expected::Version(*version)),
            };
            let Some(definition) = self.definitions.get(file) else {
                continue;
            };
            desk.put(TaskWish {
                definition: definition.clone(),
                secrets: BTreeMap::new(),
                expected,
                manifest: Some(file.clone()),
            })
            .await?;
        }
        Ok(())
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kind {
            StepKind::Create { file } => write!(f, "+ {} (new, from {file})", self.task),
            StepKind::Delete => write!(f, "- {} (its manifest is gone)", self.task),
            StepKind::Update { file, changes, .. } => {
                write!(f, "~ {} (from {file})", self.task)?;
                changes.iter().try_for_each(|it| write!(f, "\n    {it}"))
            }
        }
    }
}

//! What a stored task is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{BuildTask, Triggers, build_task};

/// How long a run may take when a task does not say, in seconds, as in ACR.
const TIMEOUT_SECONDS: u64 = 3600;

/// A named definition of what to run: where the files are, what to do with them, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The task's name; a manifest without one is named by its file.
    #[serde(default)]
    pub name: String,
    /// Where the files are: a folder, a git URL, an archive; nothing is no context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The task file, looked for in the context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The task file's text, kept with the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yaml: Option<String>,
    /// The one image that the task builds, in place of a task file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<ImageBuild>,
    /// The platform to run on, such as `linux/amd64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// How long a run may take, in seconds.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u64,
    /// CPUs of each step's container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Memory of each step's container, such as `512m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// The registry that the task calls its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// Values that templates see as `.Values.NAME`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub values: Map<String, Value>,
    /// Names of values that are kept sealed, apart from the definition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret_values: Vec<String>,
    /// Names of the registry connections that a run may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<String>,
    /// What the task's runs are allowed, as `--allow` takes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// What starts the task.
    #[serde(default, skip_serializing_if = "Triggers::is_empty")]
    pub triggers: Triggers,
    /// Whether the task may be run.
    #[serde(default)]
    pub status: Status,
    /// The pool of workers that runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Labels that a worker must bear.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Runs of a higher priority leave the queue first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// How many runs of the task may be under way at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_runs: Option<u32>,
    /// What else its runs must not overlap with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// What becomes of a run whose worker is lost together with its engine.
    #[serde(default, skip_serializing_if = "WorkerLoss::is_retry")]
    pub on_worker_loss: WorkerLoss,
    /// Where the ends of its runs are told, beside the server's own hooks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<String>,
}

/// Whether a task or a trigger may start runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It may.
    #[default]
    Enabled,
    /// It may not.
    Disabled,
}

/// An image to be built, and pushed where its names say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageBuild {
    /// Its names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// The Dockerfile, relative to the context.
    #[serde(default = "dockerfile")]
    pub dockerfile: String,
    /// Build arguments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, String>,
    /// The stage to stop at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Whether to push.
    #[serde(default = "yes")]
    pub push: bool,
    /// Whether to take nothing from the cache.
    #[serde(default)]
    pub no_cache: bool,
}

/// A group of runs of which one is under way at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Concurrency {
    /// The group's name, shared by all tasks that name it.
    pub group: String,
    /// What becomes of a run whose group is busy.
    #[serde(default)]
    pub policy: Policy,
}

/// What becomes of a run whose group is busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// It waits for its turn.
    #[default]
    Queue,
    /// It cancels the earlier ones.
    CancelSuperseded,
    /// It is not begun.
    Skip,
}

/// What becomes of a run whose worker is lost together with its engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WorkerLoss {
    /// It ends *errored*.
    Error,
    /// It begins anew on another worker, once.
    #[default]
    Retry,
}

impl WorkerLoss {
    fn is_retry(&self) -> bool {
        *self == WorkerLoss::Retry
    }
}

/// Where the text of a task's steps comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// From this file of the context.
    File(String),
    /// From the definition itself.
    Inline(String),
}

impl Definition {
    /// A task of this name with nothing else said.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            context: None,
            file: None,
            yaml: None,
            build: None,
            platform: None,
            timeout_seconds: TIMEOUT_SECONDS,
            cpu: None,
            memory: None,
            registry: None,
            values: Map::new(),
            secret_values: Vec::new(),
            connections: Vec::new(),
            allow: Vec::new(),
            triggers: Triggers::default(),
            status: Status::Enabled,
            pool: None,
            labels: BTreeMap::new(),
            priority: 0,
            max_runs: None,
            concurrency: None,
            on_worker_loss: WorkerLoss::default(),
            notify: Vec::new(),
        }
    }

    /// Says where the steps are written; a file is the rule when nothing is said.
    pub fn text(&self) -> Text {
        match (&self.yaml, &self.build) {
            (Some(yaml), _) => Text::Inline(yaml.clone()),
            (None, Some(build)) => Text::Inline(build_task(&BuildTask::of(
                build,
                self.registry.as_deref(),
                self.platform.as_deref(),
            ))),
            (None, None) => Text::File(self.file.clone().unwrap_or_else(|| "acb.yaml".to_owned())),
        }
    }
}

fn timeout_seconds() -> u64 {
    TIMEOUT_SECONDS
}

fn dockerfile() -> String {
    "Dockerfile".to_owned()
}

fn yes() -> bool {
    true
}

fn is_zero(number: &i32) -> bool {
    *number == 0
}

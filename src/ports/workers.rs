//! Which workers there are, what each has, and what a run demands of one.

use std::{collections::BTreeMap, str::FromStr};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::StoreError;

/// After so long without a word, in seconds, a worker counts as gone.
pub const SILENCE_SECONDS: u64 = 30;

/// What a run demands of its worker; those that demand the same wait in one line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Needs {
    /// Thousandths of a CPU.
    #[serde(skip_serializing_if = "is_zero")]
    pub cpu_millis: u64,
    /// Bytes of memory.
    #[serde(skip_serializing_if = "is_zero")]
    pub memory_bytes: u64,
    /// The platform, such as `linux/amd64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Labels that the worker must bear.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What a worker has, or has left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Capacity {
    /// Thousandths of a CPU.
    pub cpu_millis: u64,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// The platforms whose runs it takes.
    pub platforms: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// What a worker says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WorkerFacts {
    /// Its name.
    pub name: String,
    /// The pool whose runs it takes.
    pub pool: String,
    /// What it has in all.
    pub capacity: Capacity,
    /// How many runs it drives at once.
    pub parallel_runs: usize,
    /// The id of its engine.
    pub engine: String,
    /// The version of its engine.
    pub engine_version: String,
    /// The version of careen.
    pub version: String,
    /// Why it takes no runs just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Whether a worker is to take runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkerState {
    /// It is.
    #[default]
    Active,
    /// It ends those that it has and takes no others.
    Draining,
}

/// What a worker hears when it says that it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Whether it is to take runs.
    pub state: WorkerState,
    /// The workers of its pool that are here and take runs, itself included.
    pub workers: Vec<String>,
}

/// A worker as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WorkerRow {
    /// What it said of itself.
    #[serde(flatten)]
    pub facts: WorkerFacts,
    /// Whether it is to take runs.
    pub state: WorkerState,
    /// When it was last heard of.
    pub seen_at: DateTime<Utc>,
    /// How long ago that is, by the store's clock.
    pub silent_seconds: u64,
    /// The runs that it drives.
    pub runs: Vec<String>,
}

impl Needs {
    /// Names what is demanded, as one text: the same for those that demand the same.
    pub fn key(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

/// Names a platform as workers do: without the variant, in lower case.
pub fn platform_name(text: &str) -> Option<String> {
    let name: Vec<String> = text.split('/').take(2).map(str::to_lowercase).collect();
    Some(name.join("/")).filter(|name| !name.is_empty())
}

impl Capacity {
    /// What is left of it beside these.
    #[must_use]
    pub fn beside<'n>(&self, taken: impl IntoIterator<Item = &'n Needs>) -> Capacity {
        let mut left = self.clone();
        for needs in taken {
            left.cpu_millis = left.cpu_millis.saturating_sub(needs.cpu_millis);
            left.memory_bytes = left.memory_bytes.saturating_sub(needs.memory_bytes);
        }
        left
    }

    /// Says whether a run that demands this fits.
    pub fn fits(&self, needs: &Needs) -> bool {
        self.lacks(needs).is_none()
    }

    /// Says in words what keeps a run that demands this from fitting.
    pub fn lacks(&self, needs: &Needs) -> Option<String> {
        if needs.cpu_millis > self.cpu_millis {
            let (wanted, has) = (cpus(needs.cpu_millis), cpus(self.cpu_millis));
            return Some(format!("has {has} of {wanted} CPUs"));
        }
        if needs.memory_bytes > self.memory_bytes {
            let (wanted, has) = (mebibytes(needs.memory_bytes), mebibytes(self.memory_bytes));
            return Some(format!("has {has} of {wanted} MiB of memory"));
        }
        if let Some(platform) = &needs.platform
            && !self.platforms.contains(platform)
        {
            return Some(format!("is not {platform}"));
        }
        let mut labels = needs.labels.iter();
        let missing = labels.find(|(name, value)| self.labels.get(*name) != Some(*value));
        missing.map(|(name, value)| format!("has no label {name}={value}"))
    }
}

fn cpus(millis: u64) -> f64 {
    millis as f64 / 1000.0
}

fn mebibytes(bytes: u64) -> u64 {
    bytes >> 20
}

impl WorkerRow {
    /// Says whether it was heard of lately.
    pub fn is_here(&self) -> bool {
        self.silent_seconds <= SILENCE_SECONDS
    }

    /// Says in words what keeps it from ever taking a run that demands this; what it runs now does not count.
    pub fn bar(&self, needs: &Needs) -> Option<String> {
        if self.state == WorkerState::Draining {
            return Some("is draining".to_owned());
        }
        let problem = self.facts.problem.as_ref();
        let problem = problem.map(|problem| format!("takes no runs: {problem}"));
        problem.or_else(|| self.facts.capacity.lacks(needs))
    }
}

impl WorkerState {
    /// The word used in the database, the API and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            WorkerState::Active => "active",
            WorkerState::Draining => "draining",
        }
    }
}

impl FromStr for WorkerState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "active" => Ok(WorkerState::Active),
            "draining" => Ok(WorkerState::Draining),
            _ => Err(format!("{text:?} is neither active nor draining")),
        }
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Knows the workers. Filled by the same adapters as [`super::Queue`], over the same runs.
#[async_trait]
pub trait Workers: Send + Sync {
    /// Notes what a worker says of itself, and that it said so just now.
    async fn worker_is_here(&self, facts: &WorkerFacts) -> Result<Heard, StoreError>;
    /// Forgets a worker that has stopped, unless it was told to drain: then it drains still when it comes back.
    async fn worker_left(&self, name: &str) -> Result<(), StoreError>;
    /// Lists the workers that were heard of within a day, by name.
    async fn workers(&self) -> Result<Vec<WorkerRow>, StoreError>;
    /// Lets a worker take runs or keeps it from it, from the next claim on; `false` when there is none of that name.
    async fn set_worker(&self, name: &str, state: WorkerState) -> Result<bool, StoreError>;
}

//! What starts a stored task.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Follow, Status};

/// All triggers of a task.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    /// Commits and pull requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<SourceTrigger>,
    /// Schedules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timer: Vec<TimerTrigger>,
    /// New base images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_image: Option<BaseImageTrigger>,
}

/// Starts the task when a repository changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceTrigger {
    /// The trigger's name; unique in the task.
    pub name: String,
    /// The repository's URL.
    pub repository: String,
    /// The branch; all of them when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// More branches, as globs; one with `!` in front takes back. For pull requests, the branches they go into.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<String>,
    /// Tags, as globs; all of them when none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Files, as globs, one of which must have changed; the context's folder when none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// Ids of those whose changes start the task; everybody's when none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// Ids of those whose pull requests from forks need no approval.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_authors: Vec<String>,
    /// Words in a commit's message that keep it from starting the task, in place of the usual ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<Vec<String>>,
    /// How often the repository is asked, in seconds, where it cannot tell by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_seconds: Option<u32>,
    /// The connection whose login asks the repository and fetches from it, where it is private.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// What happens to the repository.
    #[serde(default = "commits")]
    pub events: Vec<SourceEvent>,
    /// Whether it may start runs.
    #[serde(default)]
    pub status: Status,
}

impl SourceTrigger {
    /// A trigger on the commits of all branches of a repository.
    pub fn new(name: impl Into<String>, repository: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            repository: repository.into(),
            branch: None,
            branches: Vec::new(),
            tags: Vec::new(),
            paths: Vec::new(),
            authors: Vec::new(),
            trusted_authors: Vec::new(),
            skip: None,
            poll_seconds: None,
            connection: None,
            events: commits(),
            status: Status::Enabled,
        }
    }
}

/// What happens to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceEvent {
    /// Commits are pushed.
    Commit,
    /// A tag is set or moved.
    Tag,
    /// A pull request is opened or changed.
    PullRequest,
}

/// Starts the task at set times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimerTrigger {
    /// The trigger's name; unique in the task.
    pub name: String,
    /// When, as cron writes it, in UTC unless a time zone is named.
    pub schedule: String,
    /// The time zone whose clock the schedule is about, such as `Europe/Berlin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Up to how many seconds after its time a run is queued, drawn anew each time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub jitter_seconds: u32,
    /// What becomes of times that passed while no server was there.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub catch_up: CatchUp,
    /// Whether it may start runs.
    #[serde(default)]
    pub status: Status,
}

/// What becomes of times that passed while no server was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// They start nothing.
    Skip,
    /// The last of them starts a run.
    #[default]
    Latest,
    /// Each of them starts a run, the last 25 at most.
    All,
}

impl std::fmt::Display for CatchUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            CatchUp::Skip => "skip",
            CatchUp::Latest => "latest",
            CatchUp::All => "all",
        })
    }
}

impl TimerTrigger {
    /// A timer in UTC with nothing else said.
    pub fn new(name: impl Into<String>, schedule: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            schedule: schedule.into(),
            time_zone: None,
            jitter_seconds: 0,
            catch_up: CatchUp::default(),
            status: Status::Enabled,
        }
    }
}

/// Starts the task when an image that it builds on has moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BaseImageTrigger {
    /// The trigger's name; unique in the task.
    pub name: String,
    /// Which of the bases are watched.
    #[serde(default)]
    pub kind: BaseImageKind,
    /// Rules by which new tags of bases start it, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follow: Vec<Follow>,
    /// How long after a move others are waited for, so that one run is started for all, in seconds.
    #[serde(default = "settle_seconds", skip_serializing_if = "is_usual_settling")]
    pub settle_seconds: u32,
    /// Whether it may start runs.
    #[serde(default)]
    pub status: Status,
}

/// Which bases of a build are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BaseImageKind {
    /// The bases of the final stage.
    #[default]
    Runtime,
    /// The bases of all stages.
    All,
}

impl Triggers {
    /// Says whether nothing but a person starts the task.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The names of all triggers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let source = self.source.iter().map(|it| it.name.as_str());
        let timer = self.timer.iter().map(|it| it.name.as_str());
        source
            .chain(timer)
            .chain(self.base_image.iter().map(|it| it.name.as_str()))
    }

    /// The kinds of triggers that the task has, in the words of `az acr task list`.
    pub fn kinds(&self) -> Vec<&'static str> {
        [
            (self.base_image.is_some(), "BASE_IMAGE"),
            (!self.source.is_empty(), "SOURCE"),
            (!self.timer.is_empty(), "TIMER"),
        ]
        .into_iter()
        .filter_map(|(has, word)| has.then_some(word))
        .collect()
    }
}

fn commits() -> Vec<SourceEvent> {
    vec![SourceEvent::Commit]
}

/// Bases that are built together are pushed within a minute or so.
const SETTLE_SECONDS: u32 = 60;

impl BaseImageTrigger {
    /// A trigger on runtime bases with nothing else said.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: BaseImageKind::default(),
            follow: Vec::new(),
            settle_seconds: SETTLE_SECONDS,
            status: Status::Enabled,
        }
    }
}

fn settle_seconds() -> u32 {
    SETTLE_SECONDS
}

fn is_usual_settling(seconds: &u32) -> bool {
    *seconds == SETTLE_SECONDS
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

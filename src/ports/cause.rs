//! What started a run by itself, told apart so that one cause starts one run.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What started a run, when it was no person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Trigger {
    /// What kind of thing happened.
    pub kind: TriggerKind,
    /// Tells this cause from every other; a second run with the same key is not made.
    pub key: String,
    /// What happened, for programs: repository, reference and commit; timer and time; images.
    #[schema(value_type = Object)]
    pub details: Value,
    /// Whether a person must still approve the run.
    #[serde(default)]
    pub needs_approval: bool,
    /// Who approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
}

/// The kinds of things that start runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// A commit, a tag or a pull request.
    Source,
    /// A base image that moved.
    BaseImage,
    /// A timer.
    Timer,
    /// A wave of builds through the images that stand on each other.
    Fleet,
}

/// Who or what starts runs: a person, or things that happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Starter {
    /// Someone, or a program in their name.
    Person,
    /// Things of this kind.
    Trigger(TriggerKind),
}

impl Starter {
    /// All of them.
    pub const ALL: [Starter; 5] = [
        Starter::Person,
        Starter::Trigger(TriggerKind::Source),
        Starter::Trigger(TriggerKind::BaseImage),
        Starter::Trigger(TriggerKind::Timer),
        Starter::Trigger(TriggerKind::Fleet),
    ];

    /// The word used in the API and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Starter::Person => "person",
            Starter::Trigger(kind) => kind.as_str(),
        }
    }

    /// Says whether it started what bears this trigger, or none.
    pub fn started(self, trigger: Option<&Trigger>) -> bool {
        match (self, trigger) {
            (Starter::Person, trigger) => trigger.is_none(),
            (Starter::Trigger(kind), Some(trigger)) => trigger.kind == kind,
            (Starter::Trigger(_), None) => false,
        }
    }
}

impl FromStr for Starter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "person" => Ok(Starter::Person),
            other => other.parse().map(Starter::Trigger),
        }
    }
}

impl TryFrom<String> for Starter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl Trigger {
    /// A trigger whose run nobody has to approve.
    pub fn new(kind: TriggerKind, key: impl Into<String>, details: Value) -> Trigger {
        Trigger {
            kind,
            key: key.into(),
            details,
            needs_approval: false,
            approved_by: None,
        }
    }
}

impl TriggerKind {
    /// The word used in the database, the API and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            TriggerKind::Source => "source",
            TriggerKind::BaseImage => "base_image",
            TriggerKind::Timer => "timer",
            TriggerKind::Fleet => "fleet",
        }
    }
}

impl FromStr for TriggerKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "source" => Ok(TriggerKind::Source),
            "base_image" => Ok(TriggerKind::BaseImage),
            "timer" => Ok(TriggerKind::Timer),
            "fleet" => Ok(TriggerKind::Fleet),
            other => Err(format!("{other:?} is no kind of trigger")),
        }
    }
}

//! How a node stands, and in which words that is said.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Id, InputSet};

/// What set a wave of builds off: a tag that moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The image's complete name.
    pub image: String,
    /// What it holds since.
    pub digest: String,
    /// When that was first seen.
    pub seen: DateTime<Utc>,
}

/// Why an image is not what it is wanted to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Because {
    /// It was never built.
    NeverBuilt,
    /// Its task was changed.
    Task,
    /// Its source has another commit.
    Source {
        /// The commit it was built from.
        from: String,
        /// The commit that was last accepted.
        to: String,
    },
    /// A base has moved.
    Base {
        /// The base's complete name.
        image: String,
        /// What the last build stood on; `None` if it did not stand on this image.
        from: Option<String>,
        /// What it holds now.
        to: String,
    },
    /// Someone asked for it to be built anew.
    Asked,
    /// Its tag holds what no build of ours put there for these inputs.
    Moved {
        /// The image whose tag it is.
        image: String,
        /// What it holds; `None` if it was never seen.
        holds: Option<String>,
    },
}

/// Why a node is stale, since when, and what set that off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stale {
    /// Why.
    #[serde(flatten)]
    pub because: Because,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// The tag that moved first, where one did.
    pub origin: Option<Origin>,
}

/// What is to be done for a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Build the task from exactly these inputs.
    Build {
        /// The task.
        task: String,
        /// What to make it from.
        inputs: InputSet,
        /// The epoch.
        epoch: u32,
        /// What set it off.
        origin: Option<Origin>,
    },
    /// Let tags hold again what an earlier build gave.
    Retag {
        /// The task.
        task: String,
        /// What each tag is to hold.
        tags: BTreeMap<String, String>,
        /// The run that built it.
        run: String,
        /// The hash of what it was made from.
        key: String,
        /// Its epoch.
        epoch: u32,
    },
}

impl Action {
    /// The task that it is for.
    pub fn task(&self) -> &str {
        match self {
            Action::Build { task, .. } | Action::Retag { task, .. } => task,
        }
    }
}

/// Where a node is on its way to what it is wanted to be.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Not ours; its digest is known.
    Watched,
    /// Not ours, and never seen.
    Unseen,
    /// It is what it is wanted to be, and so is everything it stands on.
    Fresh,
    /// Nothing is in the way of this.
    Ready(Box<Action>),
    /// A run builds it.
    Building {
        /// The run.
        run: String,
    },
    /// Its last build from these inputs failed; it waits for other inputs or for someone who asks again.
    Failed {
        /// The run.
        run: String,
        /// Why, in words.
        reason: String,
    },
    /// Something that it stands on must be settled first.
    Held {
        /// The node that is in the way.
        by: Id,
        /// Whether that one failed, or was never seen, so that waiting alone will not help.
        is_stuck: bool,
    },
}

/// How a node stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Where it is.
    pub state: State,
    /// Why it is stale on what its bases hold now; `None` if it is not.
    pub stale: Option<Stale>,
}

impl State {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            State::Watched => "watched",
            State::Unseen => "unseen",
            State::Fresh => "fresh",
            State::Ready(_) => "ready",
            State::Building { .. } => "building",
            State::Failed { .. } => "failed",
            State::Held { .. } => "held",
        }
    }

    /// Says whether what stands on it may be built.
    pub fn is_settled(&self) -> bool {
        matches!(self, State::Watched | State::Fresh)
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::NeverBuilt => f.write_str("it was never built"),
            Because::Task => f.write_str("its task was changed"),
            Because::Source { from, to } => {
                write!(f, "its source moved from {} to {}", short(from), short(to))
            }
            Because::Base {
                image,
                from: Some(from),
                to,
            } => {
                write!(f, "{image} moved from {} to {}", short(from), short(to))
            }
            Because::Base {
                image,
                from: None,
                to,
            } => write!(f, "it stands on {image} ({}) now", short(to)),
            Because::Asked => f.write_str("someone asked for it to be built anew"),
            Because::Moved {
                image,
                holds: Some(holds),
            } => {
                write!(
                    f,
                    "{image} holds {}, which is not what its build gave",
                    short(holds)
                )
            }
            Because::Moved { image, holds: None } => write!(f, "{image} is not there"),
        }
    }
}

/// The first characters of a digest or a commit, enough to tell it by.
pub(super) fn short(digest: &str) -> &str {
    let hex = digest.split_once(':').map_or(digest, |it| it.1);
    hex.get(..12).unwrap_or(hex)
}

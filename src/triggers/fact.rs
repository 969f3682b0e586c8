//! What happened to a repository, whoever told it.

use serde::{Deserialize, Serialize};

/// Something that happened to a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFact {
    /// All addresses of the repository; empty where nothing is said of one.
    pub addresses: Vec<String>,
    /// What happened.
    pub happening: Happening,
}

/// What can happen to a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// The code host tries whether anyone listens.
    Ping,
    /// A branch or a tag stands at another commit.
    Push(Push),
    /// A pull request was opened or has new commits.
    PullRequest(PullRequest),
    /// A branch or a tag is gone.
    Deletion(Reference),
    /// Nothing that starts runs, in the code host's word.
    Other(String),
}

/// A branch, a tag or a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// A branch, without `refs/heads/`.
    Branch(String),
    /// A tag, without `refs/tags/`.
    Tag(String),
    /// A pull request by its number.
    PullRequest(u64),
}

/// Who did something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The code host's id, which stays when the name changes.
    pub id: String,
    /// What people call them.
    pub name: String,
}

/// A branch or a tag that stands at another commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The branch or tag.
    pub reference: Reference,
    /// Where it stood; `None` when it is new, or nothing is said.
    pub before: Option<String>,
    /// Where it stands.
    pub commit: String,
    /// Who pushed.
    pub author: Author,
    /// The message of the commit.
    pub message: String,
    /// The files that changed; `None` when not all of them are known.
    pub paths: Option<Vec<String>>,
    /// When, in milliseconds since 1970, as far as the code host tells.
    pub at: Option<i64>,
}

/// A pull request that was opened or has new commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// What it is called.
    pub title: String,
    /// The branch it is to be merged into.
    pub target: String,
    /// The branch it comes from.
    pub source: String,
    /// What to fetch to have its commit.
    pub fetch: String,
    /// Where it stood, if that is said.
    pub before: Option<String>,
    /// Its commit.
    pub commit: String,
    /// Whether it comes from another repository.
    pub is_fork: bool,
    /// Who opened it.
    pub author: Author,
    /// When, in milliseconds since 1970, as far as the code host tells.
    pub at: Option<i64>,
}

impl Reference {
    /// Reads `refs/heads/NAME` or `refs/tags/NAME`; a name without either is a branch.
    pub fn of(full: &str) -> Reference {
        match full.strip_prefix("refs/tags/") {
            Some(tag) => Reference::Tag(tag.to_owned()),
            None => Reference::Branch(full.strip_prefix("refs/heads/").unwrap_or(full).to_owned()),
        }
    }

    /// The full name, as git writes it.
    pub fn full(&self) -> String {
        match self {
            Reference::Branch(name) => format!("refs/heads/{name}"),
            Reference::Tag(name) => format!("refs/tags/{name}"),
            Reference::PullRequest(number) => format!("refs/pull/{number}"),
        }
    }

    /// What people call it.
    pub fn short(&self) -> String {
        match self {
            Reference::Branch(name) => name.clone(),
            Reference::Tag(name) => format!("tag {name}"),
            Reference::PullRequest(number) => format!("pull request {number}"),
        }
    }

    /// Says whether its name is one that is taken: such as no shell, path or terminal reads anything into.
    pub fn is_plain(&self) -> bool {
        let (Reference::Branch(name) | Reference::Tag(name)) = self else {
            return true;
        };
        let is_plain = |c: char| c.is_alphanumeric() || "-_./+@#=".contains(c);
        !name.is_empty()
            && !name.starts_with(['-', '/', '.'])
            && !name.contains("..")
            && !name.contains("@{")
            && name.len() <= 255
            && name.chars().all(is_plain)
    }
}

/// Says whether a text is a whole commit id, and not the one that stands for none.
pub(super) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte != b'0')
}

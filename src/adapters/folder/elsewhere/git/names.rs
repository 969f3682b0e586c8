//! What a name stands for, as the server tells: branches, tags, pull requests, commits.

use std::cell::Cell;

use git2::{Direction, RemoteHead, Repository};

use super::session::{BrokenOff, Session};
use crate::{ports::OpenError, text::did_you_mean};

/// What is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The full name of the reference that leads to it; empty where a commit alone was named.
    pub reference: String,
    /// The commit, in full; as much of it as was written where it has to be looked for.
    pub commit: String,
}

impl Named {
    /// The branch, if it was named by one.
    pub fn branch(&self) -> Option<&str> {
        self.reference.strip_prefix("refs/heads/")
    }
}

/// Finds out what is meant; a commit that is known already is not asked for.
pub fn resolve(
    session: &Session,
    repository: &Repository,
    (url, reference, commit): (&str, Option<String>, Option<String>),
) -> Result<Named, OpenError> {
    if let Some(commit) = commit {
        let reference = reference.unwrap_or_default();
        return Ok(Named { reference, commit });
    }
    let why = Cell::new(BrokenOff::Not);
    let failed = |error: git2::Error| session.failed(&error, why.get());
    let mut remote = repository.remote_anonymous(url).map_err(failed)?;
    let callbacks = session.callbacks(url, &why);
    let connection = remote.connect_auth(Direction::Fetch, Some(callbacks), None);
    let connection = connection.map_err(failed)?;
    let default = connection.default_branch();
    let default = default
        .ok()
        .and_then(|it| it.as_str().ok().map(str::to_owned));
    let heads = connection.list().map_err(failed)?;
    let found = match &reference {
        None => named_by_nothing(heads, default.as_deref()),
        Some(name) => find(heads, name),
    };
    found.ok_or_else(|| missing(session, reference.as_deref(), heads))
}

/// The default branch.
fn named_by_nothing(heads: &[RemoteHead<'_>], default: Option<&str>) -> Option<Named> {
    let head = heads.iter().find(|head| name(head) == "HEAD")?;
    Some(Named {
        reference: default.unwrap_or("HEAD").to_owned(),
        commit: head.oid().to_string(),
    })
}

/// Looks a name up as git does: whole, below `refs/`, as a tag, as a branch; then it may be a commit.
fn find(heads: &[RemoteHead<'_>], wanted: &str) -> Option<Named> {
    let spellings = ["", "refs/", "refs/tags/", "refs/heads/"];
    for spelling in spellings {
        let full = format!("{spelling}{wanted}");
        let at = |name_wanted: &str| heads.iter().find(|head| name(head) == name_wanted);
        if let Some(head) = at(&full) {
            // A tag with a text of its own is no commit; the server tells which one it marks.
            let commit = at(&format!("{full}^{{}}")).unwrap_or(head).oid();
            return Some(Named {
                reference: full,
                commit: commit.to_string(),
            });
        }
    }
    is_commit(wanted).then(|| {
        let commit = wanted.to_ascii_lowercase();
        let leads_there = heads.iter().find(|head| head.oid().to_string() == commit);
        Named {
            reference: leads_there
                .map(|head| name(head).trim_end_matches("^{}").to_owned())
                .filter(|it| it != "HEAD")
                .unwrap_or_default(),
            commit,
        }
    })
}

fn name<'h>(head: &'h RemoteHead<'_>) -> &'h str {
    head.name()
}

/// Says whether a name can be a commit, whole or its beginning.
fn is_commit(name: &str) -> bool {
    (7..=40).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn missing(session: &Session, wanted: Option<&str>, heads: &[RemoteHead<'_>]) -> OpenError {
    let Some(wanted) = wanted else {
        return session.failing.missing("the repository is empty", "");
    };
    let short = |head| {
        let name: &str = name(head);
        let short = name
            .strip_prefix("refs/heads/")
            .or_else(|| name.strip_prefix("refs/tags/"));
        short.filter(|it| !it.ends_with("^{}"))
    };
    let hint = match did_you_mean(wanted, heads.iter().filter_map(short)) {
        Some(near) => format!("There is {near}"),
        None => "Write a branch, a tag, pull/NUMBER/head or a commit behind the #".to_owned(),
    };
    let reason = format!("there is no branch, tag or commit {wanted}");
    session.failing.missing(reason, &hint)
}

//! Fetching one commit, with as little else as the server allows.

use std::cell::Cell;

use git2::{AutotagOption, ErrorCode, FetchOptions, Oid, RemoteRedirect, Repository};

use super::{
    names::Named,
    session::{BrokenOff, Session},
};
use crate::ports::{OpenError, OpenFault};

/// Where fetched things are called so that nothing is lost.
const OURS: &str = "refs/careen";
/// The digits of a whole commit.
const WHOLE: usize = 40;

/// Fetches a commit: by the reference that leads to it, by its own name, or with the whole history. Returns its whole
/// name.
pub fn fetch(
    session: &Session,
    repository: &Repository,
    url: &str,
    named: &Named,
) -> Result<String, OpenError> {
    let mut last = None;
    for (specs, depth) in ways(named) {
        let done = fetch_by(session, repository, url, (&specs, depth));
        match done.map(|()| found(repository, &named.commit)) {
            Ok(Some(commit)) => return Ok(commit),
            Ok(None) => last = None,
            // Another way would fail alike.
            Err(error) if error.fault != OpenFault::Machine => return Err(error),
            Err(error) => last = Some(error),
        }
    }
    let gone = || {
        session.failing.missing(
            format!("the repository has no commit {}", named.commit),
            "Was it pushed, or removed by a forced push?",
        )
    };
    Err(last.unwrap_or_else(gone))
}

/// What to ask for, and to which depth, the cheapest first.
fn ways(named: &Named) -> Vec<(Vec<String>, Option<i32>)> {
    let own = format!("+{}:{OURS}/own", named.reference);
    let mut ways = Vec::new();
    let mut all = vec![
        format!("+refs/heads/*:{OURS}/heads/*"),
        format!("+refs/tags/*:{OURS}/tags/*"),
    ];
    if !named.reference.is_empty() {
        ways.push((vec![own.clone()], Some(1)));
    }
    if named.commit.len() == WHOLE {
        ways.push((vec![format!("+{}:{OURS}/commit", named.commit)], Some(1)));
    }
    if named.reference.starts_with("refs/") {
        all.push(own);
    }
    ways.push((all, None));
    ways
}

fn fetch_by(
    session: &Session,
    repository: &Repository,
    url: &str,
    (specs, depth): (&[String], Option<i32>),
) -> Result<(), OpenError> {
    let why = Cell::new(BrokenOff::Not);
    let failed = |error: git2::Error| session.failed(&error, why.get());
    let mut remote = repository.remote_anonymous(url).map_err(failed)?;
    let mut options = FetchOptions::new();
    options
        .remote_callbacks(session.callbacks(url, &why))
        .download_tags(AutotagOption::None)
        .follow_redirects(RemoteRedirect::None);
    match depth {
        Some(depth) => {
            options.depth(depth);
        }
        // An earlier way has cut the history short, and nothing but this takes that back.
        None if repository.is_shallow() => {
            options.depth(i32::MAX);
        }
        None => {}
    }
    match remote.fetch(specs, Some(&mut options), None) {
        // A reference that is gone by now; there are other ways.
        Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
        done => done.map_err(failed),
    }
}

/// Finds a commit that is here, by its whole name or the beginning of it.
fn found(repository: &Repository, commit: &str) -> Option<String> {
    let found = match commit.len() {
        WHOLE => repository.find_commit(Oid::from_str(commit).ok()?),
        _ => repository.find_commit_by_prefix(commit),
    };
    Some(found.ok()?.id().to_string())
}

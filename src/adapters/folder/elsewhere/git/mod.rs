//! Git repositories: what a name stands for is asked of the server, and only a commit that is not here is fetched.

mod address;
mod checkout;
mod credentials;
mod fetch;
mod heads;
mod names;
mod session;
mod submodules;

pub use heads::heads;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sha2::{Digest, Sha256};

use self::{names::Named, session::Session};
use super::{Elsewhere, failure::Failing};
use crate::{
    adapters::folder::{
        cache::{Draft, Kept},
        open::hex,
    },
    ports::{Access, GitInfo, OpenError, Opened, Pin},
    spec::context::GitRef,
};

/// Where the files of a commit are, and what is odd in them.
struct CheckedOut {
    kept: Kept,
    named: Named,
    remarks: Vec<String>,
}

/// Tells the thread that works for a call when nobody waits for it any more.
struct Leash(Arc<AtomicBool>);

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Opens what a repository's reference stands for now.
pub async fn open(at: &Elsewhere, git: &GitRef, access: &Access) -> Result<Opened, OpenError> {
    let failing = Failing::of(git);
    address::permit(&git.url, access, &failing).await?;
    let (reference, commit) = (git.reference.clone(), None);
    let out = check_out(at, (&git.url, reference, commit), access, &failing).await?;
    opened(out, git, &failing)
}

/// Opens a commit that was opened before.
pub async fn reopen(
    at: &Elsewhere,
    git: &GitRef,
    commit: &str,
    access: &Access,
) -> Result<Opened, OpenError> {
    let failing = Failing::of(git);
    let named = Named {
        reference: git.reference.clone().unwrap_or_default(),
        commit: commit.to_owned(),
    };
    let out = match at.find(&entry_name(&git.url, commit), &failing).await? {
        Some(kept) => CheckedOut {
            kept,
            named,
            remarks: Vec::new(),
        },
        None => {
            address::permit(&git.url, access, &failing).await?;
            let wanted = (git.url.as_str(), git.reference.clone(), Some(named.commit));
            check_out(at, wanted, access, &failing).await?
        }
    };
    opened(out, git, &failing)
}

/// Finds or fetches a commit on a thread of its own, which stops when this future is dropped.
async fn check_out(
    at: &Elsewhere,
    (url, reference, commit): (&str, Option<String>, Option<String>),
    access: &Access,
    failing: &Failing,
) -> Result<CheckedOut, OpenError> {
    let is_dropped = Arc::new(AtomicBool::new(false));
    let _leash = Leash(Arc::clone(&is_dropped));
    let session = Session {
        root_url: url.to_owned(),
        access: access.clone(),
        caps: at.bounds.caps,
        fetch_bytes: at.bounds.download_bytes,
        is_dropped,
        failing: failing.clone(),
    };
    let (cache, url, failing) = (at.cache.clone(), url.to_owned(), failing.clone());
    let work = move || {
        let machine = |error: std::io::Error| session.failing.machine(error);
        let draft = cache.begin().map_err(machine)?;
        let repository = session.scratch(&draft.scratch())?;
        let mut named = names::resolve(&session, &repository, (&url, reference, commit))?;
        if let Some(kept) = cache
            .find(&entry_name(&url, &named.commit))
            .map_err(machine)?
        {
            let remarks = Vec::new();
            return Ok(CheckedOut {
                kept,
                named,
                remarks,
            });
        }
        named.commit = fetch::fetch(&session, &repository, &url, &named)?;
        let remarks = fill(&session, &repository, (&url, &named), &draft)?;
        drop(repository);
        let kept = cache
            .put(draft, &entry_name(&url, &named.commit))
            .map_err(machine)?;
        Ok(CheckedOut {
            kept,
            named,
            remarks,
        })
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(failing.machine(error)))
}

fn fill(
    session: &Session,
    repository: &git2::Repository,
    (url, named): (&str, &Named),
    draft: &Draft,
) -> Result<Vec<String>, OpenError> {
    let mut budget = checkout::Budget::of(session.caps);
    let found = checkout::check_out(
        session,
        repository,
        (&named.commit, &draft.tree()),
        &mut budget,
    )?;
    let mut remarks = found.remarks();
    let parent = submodules::Parent { url, depth: 0 };
    let place = submodules::Place {
        tree: draft.tree(),
        scratch: draft.scratch(),
    };
    remarks.extend(submodules::fetch_all(
        session,
        (parent, found),
        &place,
        &mut budget,
    )?);
    Ok(remarks)
}

/// Names a commit's files. The address counts too: who may read one repository need not know another with the same
/// commit.
fn entry_name(url: &str, commit: &str) -> String {
    let place = hex(&Sha256::digest(url))[..16].to_owned();
    format!("git-{commit}-{place}")
}

fn opened(out: CheckedOut, git: &GitRef, failing: &Failing) -> Result<Opened, OpenError> {
    let directory = git.directory.clone().unwrap_or_default();
    super::check_directory(&out.kept.tree, &directory, failing)?;
    let is_by_commit = git
        .reference
        .iter()
        .any(|it| out.named.commit.starts_with(it));
    let branch = out.named.branch().filter(|_| !is_by_commit);
    let branch = branch.unwrap_or("HEAD").to_owned();
    Ok(Opened {
        folder: out.kept.tree.clone(),
        pin: Pin::Commit {
            url: git.url.clone(),
            reference: out.named.reference.clone(),
            commit: out.named.commit.clone(),
            directory: directory.clone(),
        },
        directory,
        git: Some(GitInfo {
            commit: out.named.commit,
            branch,
        }),
        remarks: out.remarks,
        held: Box::new(out.kept),
    })
}

//! Writing a commit's files to a folder, after a look at how many they are.

use std::path::Path;

use git2::{
    ObjectType, Oid, Repository, Tree, TreeWalkMode, TreeWalkResult, build::CheckoutBuilder,
};

use super::session::Session;
use crate::{adapters::folder::Caps, ports::OpenError};

/// The largest file that can be a pointer of LFS; its own text says that they stay below.
const POINTER_BYTES: usize = 1024;
const POINTER_START: &[u8] = b"version https://git-lfs.github.com/spec/";
/// How many pointers are named before the rest is counted.
const MOST_NAMED: usize = 3;

/// What a context may still come to, submodules included.
#[derive(Debug)]
pub struct Budget {
    caps: Caps,
    entries: u64,
    bytes: u64,
}

/// What a commit has that asks for more than writing files.
#[derive(Debug, Default)]
pub struct Found {
    /// Paths and commits of submodules.
    pub submodules: Vec<(String, String)>,
    /// The text of `.gitmodules`.
    pub modules_file: String,
    pointers: Vec<String>,
}

impl Budget {
    /// Allows as much as these caps say.
    pub fn of(caps: Caps) -> Budget {
        Budget {
            caps,
            entries: 0,
            bytes: 0,
        }
    }

    /// Takes an entry's share; false when there is no more.
    fn take(&mut self, bytes: usize) -> bool {
        self.entries += 1;
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.entries <= self.caps.entries && self.bytes <= self.caps.bytes
    }
}

impl Found {
    /// What people should know of it.
    pub fn remarks(&self) -> Vec<String> {
        if self.pointers.is_empty() {
            return Vec::new();
        }
        let named = self.pointers.iter().take(MOST_NAMED).cloned();
        let named = named.collect::<Vec<_>>().join(", ");
        let more = self.pointers.len().saturating_sub(MOST_NAMED);
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        vec![format!(
            "left as pointers, for files of Git LFS are not fetched: {named}{more}"
        )]
    }
}

/// Writes the files of a commit, byte for byte as they are recorded: no filter and no hook runs.
pub fn check_out(
    session: &Session,
    repository: &Repository,
    (commit, folder): (&str, &Path),
    budget: &mut Budget,
) -> Result<Found, OpenError> {
    let failed = |error: git2::Error| session.failing.machine(error.message());
    let tree = || {
        let commit = repository.find_commit(Oid::from_str(commit)?)?;
        commit.tree()
    };
    let tree = tree().map_err(failed)?;
    let found = look(session, repository, &tree, budget)?;
    let mut options = CheckoutBuilder::new();
    options.force().disable_filters(true).update_index(false);
    // Without a work tree git makes no folders for submodules; nothing is written to it on this account.
    let done = repository
        .set_workdir(folder, false)
        .and_then(|()| repository.checkout_tree(tree.as_object(), Some(&mut options)));
    done.map_err(failed)?;
    Ok(found)
}

/// Counts what the tree comes to before anything is written: a few objects can name each other into billions of files.
fn look(
    session: &Session,
    repository: &Repository,
    tree: &Tree<'_>,
    budget: &mut Budget,
) -> Result<Found, OpenError> {
    let failed = |error: git2::Error| session.failing.machine(error.message());
    let objects = repository.odb().map_err(failed)?;
    let mut found = Found::default();
    let mut is_too_much = false;
    let walked = tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
        let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
        let path = format!("{folder}{name}");
        let bytes = match entry.kind() {
            Some(ObjectType::Commit) => {
                found.submodules.push((path, entry.id().to_string()));
                0
            }
            Some(ObjectType::Blob) => {
                let size = objects.read_header(entry.id()).map_or(0, |it| it.0);
                note(repository, (entry.id(), size), path, &mut found);
                size
            }
            _ => 0,
        };
        is_too_much = !budget.take(bytes);
        match is_too_much {
            true => TreeWalkResult::Abort,
            false => TreeWalkResult::Ok,
        }
    });
    if is_too_much {
        let Caps { entries, bytes } = budget.caps;
        let reason =
            format!("its files are more than {entries}, or come to more than {bytes} bytes");
        return Err(session.failing.refused(reason, ""));
    }
    walked.map(|()| found).map_err(failed)
}

/// Notes what a small file says that concerns us.
fn note(repository: &Repository, (id, size): (Oid, usize), path: String, found: &mut Found) {
    let is_modules_file = path == ".gitmodules";
    if size > POINTER_BYTES && !is_modules_file {
        return;
    }
    let Ok(blob) = repository.find_blob(id) else {
        return;
    };
    if is_modules_file {
        found.modules_file = String::from_utf8_lossy(blob.content()).into_owned();
    } else if blob.content().starts_with(POINTER_START) {
        found.pointers.push(path);
    }
}

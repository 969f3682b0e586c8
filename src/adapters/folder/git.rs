//! What git says of a folder: which commit and branch its files come from.
//!
//! The repository may begin in the folder or in one above it, up to the boundary of the file system, as with `git
//! rev-parse` there. Nothing of the user's or the machine's git settings is read and no hook or filter runs.

use std::{
    ffi::OsStr,
    path::Path,
    sync::{Mutex, PoisonError},
};

use git2::{ConfigLevel, ErrorCode, Repository, RepositoryOpenFlags, Status, StatusOptions, opts};
use url::Url;

use super::ContextError;

/// Where the files of a folder come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The commit checked out, in full; `None` before the first.
    pub commit: Option<String>,
    /// The branch checked out; `HEAD` where it is none.
    pub branch: String,
    /// Whether files that git knows differ from the commit.
    pub is_dirty: bool,
    /// Where `origin`, or the first remote, is; never with a user or password in it.
    pub remote_url: Option<String>,
}

/// Describes the repository of a folder, if there is one; blocking. An error is for a repository that cannot be read,
/// such as one that belongs to another user; it is no reason to stop a run.
pub fn describe(folder: &Path) -> Result<Option<Checkout>, ContextError> {
    let failed = |error: git2::Error| ContextError::Git {
        path: folder.to_owned(),
        reason: error.message().to_owned(),
    };
    if !may_be_in_one(folder) {
        return Ok(None);
    }
    hide_settings().map_err(failed)?;
    match open(folder) {
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) if error.code() == ErrorCode::Owner => Err(ContextError::Git {
            path: folder.to_owned(),
            reason: "it belongs to another user".to_owned(),
        }),
        Err(error) => Err(failed(error)),
        Ok(repository) => read(&repository).map(Some).map_err(failed),
    }
}

/// Says whether a folder may be in a repository. It is asked first because libgit2 reads all certificates of the machine
/// when it wakes, which takes longer than all else that we do before a build.
fn may_be_in_one(folder: &Path) -> bool {
    let Ok(whole) = folder.canonicalize() else {
        return true;
    };
    let has = |at: &Path, name: &str| at.join(name).symlink_metadata().is_ok();
    // A bare repository has its HEAD in itself.
    whole
        .ancestors()
        .any(|at| has(at, ".git") || has(at, "HEAD"))
}

/// Hides the settings of user and machine from all of git in this process, once.
pub(super) fn hide_settings() -> Result<(), git2::Error> {
    static HIDDEN: Mutex<bool> = Mutex::new(false);
    let mut hidden = HIDDEN.lock().unwrap_or_else(PoisonError::into_inner);
    if *hidden {
        return Ok(());
    }
    for level in [
        ConfigLevel::System,
        ConfigLevel::Global,
        ConfigLevel::XDG,
        ConfigLevel::ProgramData,
    ] {
        // SAFETY: the search paths are global and unguarded; we are the only ones to set them, under this lock, and
        // every reader of them in this module comes after it.
        unsafe { opts::set_search_path(level, "")? };
    }
    *hidden = true;
    Ok(())
}

fn open(folder: &Path) -> Result<Repository, git2::Error> {
    let no_ceiling = std::iter::empty::<&OsStr>();
    Repository::open_ext(folder, RepositoryOpenFlags::empty(), no_ceiling)
}

fn read(repository: &Repository) -> Result<Checkout, git2::Error> {
    let head = match repository.head() {
        Err(error) if error.code() == ErrorCode::UnbornBranch => None,
        result => Some(result?),
    };
    let commit = match &head {
        Some(head) => Some(head.peel_to_commit()?.id().to_string()),
        None => None,
    };
    let on_branch = head.as_ref().filter(|head| head.is_branch());
    let branch = on_branch.map_or("HEAD".into(), |head| {
        String::from_utf8_lossy(head.shorthand_bytes()).into_owned()
    });
    Ok(Checkout {
        commit,
        branch,
        is_dirty: is_dirty(repository)?,
        remote_url: remote_url(repository),
    })
}

fn is_dirty(repository: &Repository) -> Result<bool, git2::Error> {
    if repository.is_bare() {
        return Ok(false);
    }
    let mut options = StatusOptions::new();
    options.include_untracked(false).exclude_submodules(true);
    let statuses = repository.statuses(Some(&mut options))?;
    Ok(statuses
        .iter()
        .any(|entry| entry.status() != Status::CURRENT))
}

fn remote_url(repository: &Repository) -> Option<String> {
    let origin = repository.find_remote("origin").or_else(|error| {
        let names = repository.remotes()?;
        match names.iter().flatten().flatten().next() {
            Some(name) => repository.find_remote(name),
            None => Err(error),
        }
    });
    without_credentials(origin.ok()?.url().ok()?)
}

/// Drops what may be secret of a remote's address: user, password and query of a web address, the password of any.
fn without_credentials(address: &str) -> Option<String> {
    if !address.contains("://") {
        // A path, or `git@host:path`, whose user is no secret.
        return Some(address.to_owned());
    }
    let mut url = Url::parse(address).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    if is_web {
        url.set_username("").ok()?;
        url.set_query(None);
    }
    if url.password().is_some() {
        url.set_password(None).ok()?;
    }
    Some(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn an_address_loses_what_may_be_secret() {
        let cases = [
            (
                "https://u:p@h.example/r.git",
                Some("https://h.example/r.git"),
            ),
            (
                "https://token@h.example/r.git",
                Some("https://h.example/r.git"),
            ),
            (
                "https://h.example/r.git?t=x",
                Some("https://h.example/r.git"),
            ),
            (
                "ssh://git:p@h.example/r.git",
                Some("ssh://git@h.example/r.git"),
            ),
            ("git@h.example:r.git", Some("git@h.example:r.git")),
            ("/srv/r.git", Some("/srv/r.git")),
            ("https://u:p@[broken/r", None),
        ];
        for (address, expected) in cases {
            assert_eq!(
                without_credentials(address).as_deref(),
                expected,
                "{address}"
            );
        }
    }
}

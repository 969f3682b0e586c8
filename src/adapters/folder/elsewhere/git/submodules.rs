//! Submodules: each a repository of its own, whose address somebody else has written.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use url::Url;

use super::{
    address,
    checkout::{self, Budget, Found},
    fetch,
    names::Named,
    session::Session,
};
use crate::{
    adapters::folder::hostile::{real_parent, safe_path},
    ports::OpenError,
    spec::context::{ContextRef, read},
};

/// How deep submodules may lie in submodules.
const DEEPEST: u32 = 8;

/// The repository that submodules belong to.
#[derive(Debug, Clone, Copy)]
pub struct Parent<'a> {
    /// Its address.
    pub url: &'a str,
    /// How many repositories it lies in.
    pub depth: u32,
}

/// Where the files of a repository go, and what is only needed meanwhile.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder of its files.
    pub tree: PathBuf,
    /// A folder for what is fetched.
    pub scratch: PathBuf,
}

/// Fetches all submodules and theirs; what is odd is remarked.
pub fn fetch_all(
    session: &Session,
    (parent, found): (Parent<'_>, Found),
    place: &Place,
    budget: &mut Budget,
) -> Result<Vec<String>, OpenError> {
    if parent.depth >= DEEPEST && !found.submodules.is_empty() {
        let reason = format!("its submodules lie more than {DEEPEST} deep in each other");
        return Err(session.failing.refused(reason, ""));
    }
    let addresses = addresses(&found.modules_file);
    let mut remarks = Vec::new();
    for (path, commit) in &found.submodules {
        let Some(written) = addresses.get(path) else {
            remarks.push(format!(
                "the submodule {path} stays empty: .gitmodules does not tell its address"
            ));
            continue;
        };
        let url = address_of(session, parent.url, (path, written))?;
        let named = Named {
            reference: String::new(),
            commit: commit.clone(),
        };
        remarks.extend(fetch_one(
            session,
            (parent, &url, path, &named),
            place,
            budget,
        )?);
    }
    Ok(remarks)
}

fn fetch_one(
    session: &Session,
    (parent, url, path, named): (Parent<'_>, &str, &str, &Named),
    place: &Place,
    budget: &mut Budget,
) -> Result<Vec<String>, OpenError> {
    let within = |mut error: OpenError| {
        error.reason = format!("submodule {path}: {}", error.reason);
        error
    };
    let inner = Place {
        tree: folder_of(session, &place.tree, path)?,
        scratch: place.scratch.clone(),
    };
    let repository = session.scratch(&place.scratch)?;
    fetch::fetch(session, &repository, url, named).map_err(within)?;
    let target = (named.commit.as_str(), inner.tree.as_path());
    let found = checkout::check_out(session, &repository, target, budget).map_err(within)?;
    let mut remarks = found.remarks();
    let parent = Parent {
        url,
        depth: parent.depth + 1,
    };
    remarks.extend(fetch_all(session, (parent, found), &inner, budget).map_err(within)?);
    Ok(remarks)
}

/// Makes the folder of a submodule, below real folders only.
fn folder_of(session: &Session, tree: &Path, path: &str) -> Result<PathBuf, OpenError> {
    let odd = |reason: &str| {
        let reason = format!("the submodule {} {reason}", path.escape_debug());
        session.failing.refused(reason, "")
    };
    let inner = safe_path(path.as_bytes()).map_err(odd)?;
    let parent = real_parent(tree, &inner).map_err(|error| session.failing.unpacking(&error))?;
    let folder = parent.join(inner.file_name().ok_or_else(|| odd("has no name"))?);
    match fs::symlink_metadata(&folder) {
        Ok(found) if found.is_dir() => Ok(folder),
        Ok(_) => Err(odd("is no folder")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir(&folder)
            .map(|()| folder)
            .map_err(|error| session.failing.machine(error)),
        Err(error) => Err(session.failing.machine(error)),
    }
}

/// Finds the address of a submodule, which may be written relative to that of its parent. It must be that of another
/// machine, spoken to by http, https or ssh.
fn address_of(
    session: &Session,
    parent: &str,
    (path, written): (&str, &str),
) -> Result<String, OpenError> {
    let refused = |reason: String| {
        let reason = format!("the submodule {path} {reason}");
        session.failing.refused(reason, "")
    };
    let whole = match written.starts_with("./") || written.starts_with("../") {
        true => joined(parent, written)
            .ok_or_else(|| refused(format!("is at {written}, which is outside of its host")))?,
        false => written.to_owned(),
    };
    let shown = whole.escape_debug().to_string();
    // The end `.git` makes a repository of every web address.
    let spelling = match whole.contains("://") && !whole.ends_with(".git") {
        true => format!("{}.git", whole.trim_end_matches('/')),
        false => whole.clone(),
    };
    let is_elsewhere = !whole.contains('#')
        && matches!(read(&spelling).map(|it| it.context), Ok(ContextRef::Git(_)))
        && address::host_of(&whole).is_some();
    if !is_elsewhere {
        return Err(refused(format!("is at {shown}, which is not fetched")));
    }
    address::permit_blocking(&whole, &session.access, &session.failing).map_err(|mut error| {
        error.reason = format!("the submodule {path}: {}", error.reason);
        error
    })?;
    Ok(whole)
}

/// Joins a relative address to that of the parent, as git does: the parent's last part is a folder.
fn joined(parent: &str, relative: &str) -> Option<String> {
    let (host, path) = match Url::parse(parent) {
        Ok(url) => {
            let path = url.path().to_owned();
            (parent.strip_suffix(&path)?.to_owned(), path)
        }
        Err(_) => {
            let (host, path) = parent.split_once(':')?;
            (format!("{host}:"), path.to_owned())
        }
    };
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    let slash = if rooted { "/" } else { "" };
    Some(format!("{host}{slash}{}", parts.join("/")))
}

/// Reads paths and addresses from the text of `.gitmodules`. Git's own reader would follow its `include`s.
fn addresses(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let (mut path, mut url) = (None, None);
    for line in text.lines().map(str::trim).chain(["["]) {
        if line.starts_with('[') {
            if let (Some(path), Some(url)) = (path.take(), url.take()) {
                found.insert(path, url);
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let value = value.trim().trim_matches('"').to_owned();
        match key.trim().to_ascii_lowercase().as_str() {
            "path" => path = Some(value),
            "url" => url = Some(value),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{addresses, joined};

    #[test]
    fn addresses_are_read_as_git_writes_them() {
        let text = "[submodule \"a\"]\n\tpath = lib/a\n\turl = ../a.git\n[include]\n\tpath = /etc/passwd\n\
                    [submodule \"b\"]\n\turl = \"https://h.io/b\"\n\tpath=b\n\tbranch = main\n";
        let found: Vec<_> = addresses(text).into_iter().collect();
        let pair = |path: &str, url: &str| (path.to_owned(), url.to_owned());
        assert_eq!(
            found,
            [pair("b", "https://h.io/b"), pair("lib/a", "../a.git")]
        );
    }

    #[test]
    fn a_relative_address_stays_on_its_host() {
        for (parent, relative, expected) in [
            (
                "https://h.io/o/a.git",
                "../b.git",
                Some("https://h.io/o/b.git"),
            ),
            (
                "https://h.io/o/a.git",
                "./b",
                Some("https://h.io/o/a.git/b"),
            ),
            ("https://h.io:8/a.git", "../../b", None),
            ("git@h.io:o/a", "../b", Some("git@h.io:o/b")),
            ("ssh://git@h.io/o/a", "../../b", Some("ssh://git@h.io/b")),
        ] {
            assert_eq!(
                joined(parent, relative).as_deref(),
                expected,
                "{parent} {relative}"
            );
        }
    }
}

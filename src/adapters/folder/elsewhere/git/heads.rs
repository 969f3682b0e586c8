//! Where the branches and tags of a repository stand, asked without fetching anything.

use std::{
    cell::Cell,
    sync::{Arc, atomic::AtomicBool},
};

use git2::{Direction, Remote};

use super::{
    Leash, address,
    session::{BrokenOff, Session},
};
use crate::{
    adapters::folder::elsewhere::{Elsewhere, failure::Failing},
    ports::{Access, OpenError},
    spec::context::GitRef,
};

/// Lists branches and tags by their full names; a tag with a text of its own stands at the commit that it marks.
pub async fn heads(
    at: &Elsewhere,
    git: &GitRef,
    access: &Access,
) -> Result<Vec<(String, String)>, OpenError> {
    let failing = Failing::of(git);
    address::permit(&git.url, access, &failing).await?;
    let is_dropped = Arc::new(AtomicBool::new(false));
    let _leash = Leash(Arc::clone(&is_dropped));
    let session = Session {
        root_url: git.url.clone(),
        access: access.clone(),
        caps: at.bounds.caps,
        fetch_bytes: at.bounds.download_bytes,
        is_dropped,
        failing: failing.clone(),
    };
    let url = git.url.clone();
    let done = tokio::task::spawn_blocking(move || list(&session, &url)).await;
    done.unwrap_or_else(|error| Err(failing.machine(error)))
}

fn list(session: &Session, url: &str) -> Result<Vec<(String, String)>, OpenError> {
    let why = Cell::new(BrokenOff::Not);
    let failed = |error: git2::Error| session.failed(&error, why.get());
    let mut remote = Remote::create_detached(url).map_err(failed)?;
    let callbacks = session.callbacks(url, &why);
    let connection = remote.connect_auth(Direction::Fetch, Some(callbacks), None);
    let connection = connection.map_err(failed)?;
    let mut heads: Vec<(String, String)> = Vec::new();
    for head in connection.list().map_err(failed)? {
        let (name, commit) = (head.name(), head.oid().to_string());
        if let Some(marking) = name.strip_suffix("^{}") {
            heads.retain(|it| it.0 != marking);
            heads.push((marking.to_owned(), commit));
        } else if name.starts_with("refs/heads/") || name.starts_with("refs/tags/") {
            heads.push((name.to_owned(), commit));
        }
    }
    Ok(heads)
}

//! Deliveries of Azure DevOps, which tell their event in the body.

use serde_json::Value;

use super::{
    super::{Happening, PullRequest, Push, Reference, SourceFact},
    Unreadable, other,
    reading::{addresses, author, commit, is_none, needed, needed_commit, number, text, time},
};

const ADDRESSES: &[&str] = &[
    "/resource/repository/remoteUrl",
    "/resource/repository/sshUrl",
];

/// Reads a delivery of Azure DevOps.
pub fn read(value: &Value) -> Result<SourceFact, Unreadable> {
    let addresses = addresses(value, ADDRESSES);
    let event = needed(value, "/eventType")?;
    let happening = match event.as_str() {
        "git.push" => pushed(value)?,
        "git.pullrequest.created" | "git.pullrequest.updated" => pull_request(value)?,
        _ => return Ok(other(addresses, &event)),
    };
    Ok(SourceFact {
        addresses,
        happening,
    })
}

fn pushed(value: &Value) -> Result<Happening, Unreadable> {
    let reference = Reference::of(&needed(value, "/resource/refUpdates/0/name")?);
    if is_none(&text(value, "/resource/refUpdates/0/newObjectId")) {
        return Ok(Happening::Deletion(reference));
    }
    Ok(Happening::Push(Push {
        reference,
        before: commit(value, "/resource/refUpdates/0/oldObjectId"),
        commit: needed_commit(value, "/resource/refUpdates/0/newObjectId")?,
        author: author(
            value,
            "/resource/pushedBy/id",
            "/resource/pushedBy/displayName",
        ),
        message: text(value, "/resource/commits/0/comment"),
        paths: None,
        at: time(value, "/resource/date"),
    }))
}

fn pull_request(value: &Value) -> Result<Happening, Unreadable> {
    let status = text(value, "/resource/status");
    if !matches!(status.as_str(), "" | "active") {
        return Ok(Happening::Other(format!("pull request {status}")));
    }
    let branch = |name: String| name.trim_start_matches("refs/heads/").to_owned();
    let source = branch(needed(value, "/resource/sourceRefName")?);
    Ok(Happening::PullRequest(PullRequest {
        number: number(value, "/resource/pullRequestId")?,
        title: text(value, "/resource/title"),
        target: branch(needed(value, "/resource/targetRefName")?),
        fetch: source.clone(),
        source,
        before: None,
        commit: needed_commit(value, "/resource/lastMergeSourceCommit/commitId")?,
        is_fork: value
            .pointer("/resource/forkSource")
            .is_some_and(|it| !it.is_null()),
        author: author(
            value,
            "/resource/createdBy/id",
            "/resource/createdBy/displayName",
        ),
        at: None,
    }))
}

//! Deliveries of Azure DevOps, which tell their event in the body.

use serde_json::Value;

use super::{
    super::{Happening, PullRequest, Push, Reference, SourceFact},
    Unreadable, facts, other,
    reading::{addresses, author, commit, is_none, needed, needed_commit, number, text, time},
};

const ADDRESSES: &[&str] = &[
    "/resource/repository/remoteUrl",
    "/resource/repository/sshUrl",
];

/// Reads a delivery of Azure DevOps.
pub fn read(value: &Value) -> Result<Vec<SourceFact>, Unreadable> {
    let addresses = addresses(value, ADDRESSES);
    let event = needed(value, "/eventType")?;
    let happenings = match event.as_str() {
        "git.push" => pushes(value)?,
        "git.pullrequest.created" | "git.pullrequest.updated" => vec![pull_request(value)?],
        _ => return Ok(vec![other(addresses, &event)]),
    };
    Ok(facts(&addresses, happenings))
}

/// Reads each reference that one push has moved.
fn pushes(value: &Value) -> Result<Vec<Happening>, Unreadable> {
    let updates = value
        .pointer("/resource/refUpdates")
        .and_then(Value::as_array);
    let updates = updates.filter(|it| !it.is_empty());
    let updates = updates.ok_or(Unreadable::Field("/resource/refUpdates/0"))?;
    updates.iter().map(|update| moved(value, update)).collect()
}

fn moved(value: &Value, update: &Value) -> Result<Happening, Unreadable> {
    let reference = Reference::of(&needed(update, "/name")?);
    if is_none(&text(update, "/newObjectId")) {
        return Ok(Happening::Deletion(reference));
    }
    let to = needed_commit(update, "/newObjectId")?;
    let own = |it: &&Value| text(it, "/commitId").eq_ignore_ascii_case(&to);
    let commits = value.pointer("/resource/commits").and_then(Value::as_array);
    let head = commits.and_then(|it| it.iter().find(own));
    Ok(Happening::Push(Push {
        reference,
        before: commit(update, "/oldObjectId"),
        message: head.map(|it| text(it, "/comment")).unwrap_or_default(),
        commit: to,
        author: author(
            value,
            "/resource/pushedBy/id",
            "/resource/pushedBy/displayName",
        ),
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

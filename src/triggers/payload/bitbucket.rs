//! Deliveries of Bitbucket.

use serde_json::Value;

use super::{
    super::{Happening, PullRequest, Push, Reference, SourceFact},
    Unreadable, facts, other,
    reading::{author, commit, differ, needed, needed_commit, number, text, time},
};

/// Reads a delivery of Bitbucket; a push of several branches comes in one.
pub fn read(event: &str, value: &Value) -> Result<Vec<SourceFact>, Unreadable> {
    let addresses: Vec<String> = Some(text(value, "/repository/links/html/href"))
        .filter(|it| !it.is_empty())
        .into_iter()
        .collect();
    let happenings = match event {
        "diagnostics:ping" => vec![Happening::Ping],
        "repo:push" => pushes(value)?,
        "pullrequest:created" | "pullrequest:updated" => vec![pull_request(value)?],
        _ => return Ok(vec![other(addresses, event)]),
    };
    Ok(facts(&addresses, happenings))
}

/// Reads each branch and tag that one push has moved.
fn pushes(value: &Value) -> Result<Vec<Happening>, Unreadable> {
    let changes = value.pointer("/push/changes").and_then(Value::as_array);
    let changes = changes.filter(|it| !it.is_empty());
    let changes = changes.ok_or(Unreadable::Field("/push/changes/0"))?;
    changes.iter().map(|change| moved(value, change)).collect()
}

fn moved(value: &Value, change: &Value) -> Result<Happening, Unreadable> {
    if !change["new"].is_object() {
        return Ok(Happening::Deletion(reference(&change["old"])?));
    }
    Ok(Happening::Push(Push {
        reference: reference(&change["new"])?,
        before: commit(change, "/old/target/hash"),
        commit: needed_commit(change, "/new/target/hash")?,
        author: author(value, "/actor/uuid", "/actor/nickname"),
        message: text(change, "/new/target/message"),
        paths: None,
        at: None,
    }))
}

fn reference(side: &Value) -> Result<Reference, Unreadable> {
    let name = needed(side, "/name")?;
    Ok(match text(side, "/type").as_str() {
        "tag" | "annotated_tag" => Reference::Tag(name),
        _ => Reference::Branch(name),
    })
}

fn pull_request(value: &Value) -> Result<Happening, Unreadable> {
    let source = needed(value, "/pullrequest/source/branch/name")?;
    let from = text(value, "/pullrequest/source/repository/uuid");
    let to = text(value, "/pullrequest/destination/repository/uuid");
    Ok(Happening::PullRequest(PullRequest {
        number: number(value, "/pullrequest/id")?,
        title: text(value, "/pullrequest/title"),
        target: needed(value, "/pullrequest/destination/branch/name")?,
        fetch: source.clone(),
        source,
        before: None,
        commit: full_or_short(value)?,
        is_fork: differ(&from, &to),
        author: author(
            value,
            "/pullrequest/author/uuid",
            "/pullrequest/author/nickname",
        ),
        at: time(value, "/pullrequest/updated_on"),
    }))
}

/// Pull requests name their commit by its first twelve digits.
fn full_or_short(value: &Value) -> Result<String, Unreadable> {
    let path = "/pullrequest/source/commit/hash";
    let hash = text(value, path).to_ascii_lowercase();
    let is_hash = hash.len() >= 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_hash {
        true => Ok(hash),
        false => needed_commit(value, path),
    }
}

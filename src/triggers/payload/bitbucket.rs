//! Deliveries of Bitbucket.

use serde_json::Value;

use super::{
    super::{Happening, PullRequest, Push, Reference, SourceFact},
    Unreadable, other,
    reading::{author, commit, differ, needed, needed_commit, number, text, time},
};

/// Reads a delivery of Bitbucket. A push of several branches comes in one; the first that stands somewhere counts, for
/// Bitbucket's own hooks send one change for each `git push` of a branch.
pub fn read(event: &str, value: &Value) -> Result<SourceFact, Unreadable> {
    let addresses: Vec<String> = Some(text(value, "/repository/links/html/href"))
        .filter(|it| !it.is_empty())
        .into_iter()
        .collect();
    let happening = match event {
        "diagnostics:ping" => Happening::Ping,
        "repo:push" => pushed(value)?,
        "pullrequest:created" | "pullrequest:updated" => pull_request(value)?,
        _ => return Ok(other(addresses, event)),
    };
    Ok(SourceFact {
        addresses,
        happening,
    })
}

fn pushed(value: &Value) -> Result<Happening, Unreadable> {
    let changes = value.pointer("/push/changes").and_then(Value::as_array);
    let changes = changes.ok_or(Unreadable::Field("/push/changes"))?;
    let standing = changes.iter().find(|it| it["new"].is_object());
    let change = standing.or(changes.first());
    let change = change.ok_or(Unreadable::Field("/push/changes/0"))?;
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

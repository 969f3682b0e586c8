//! Deliveries of Gitea and Forgejo.

use serde_json::Value;

use super::{
    super::{Happening, Reference, SourceFact},
    Unreadable, github, other,
    reading::{addresses, author, needed, push, text},
};

const ADDRESSES: &[&str] = &[
    "/repository/clone_url",
    "/repository/ssh_url",
    "/repository/html_url",
];

/// Reads a delivery of Gitea.
pub fn read(event: &str, value: &Value) -> Result<SourceFact, Unreadable> {
    let addresses = addresses(value, ADDRESSES);
    let happening = match event {
        "push" => pushed(value)?,
        "delete" => Happening::Deletion(deleted(value)?),
        "pull_request" | "pull_request_sync" => github::pull_request(value)?,
        _ => return Ok(other(addresses, event)),
    };
    Ok(SourceFact {
        addresses,
        happening,
    })
}

fn pushed(value: &Value) -> Result<Happening, Unreadable> {
    let total = value.get("total_commits").and_then(Value::as_u64);
    let mut happening = push(value, total)?;
    if let Happening::Push(push) = &mut happening {
        push.author = author(value, "/sender/id", "/sender/login");
    }
    Ok(happening)
}

fn deleted(value: &Value) -> Result<Reference, Unreadable> {
    let name = needed(value, "/ref")?;
    let is_tag = text(value, "/ref_type") == "tag" && !name.starts_with("refs/");
    Ok(match is_tag {
        true => Reference::Tag(name),
        false => Reference::of(&name),
    })
}

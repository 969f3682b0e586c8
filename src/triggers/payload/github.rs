//! Deliveries of GitHub.

use serde_json::Value;

use super::{
    super::{Happening, PullRequest, SourceFact},
    Unreadable, other,
    reading::{addresses, author, commit, differ, needed, needed_commit, number, push, text, time},
};

const ADDRESSES: &[&str] = &[
    "/repository/clone_url",
    "/repository/ssh_url",
    "/repository/html_url",
];
/// What a pull request does that brings other commits to build.
const BRINGING: [&str; 4] = ["opened", "reopened", "synchronize", "synchronized"];

/// Reads a delivery of GitHub.
pub fn read(event: &str, value: &Value) -> Result<SourceFact, Unreadable> {
    let addresses = addresses(value, ADDRESSES);
    let happening = match event {
        "ping" => Happening::Ping,
        "push" => pushed(value)?,
        "pull_request" => pull_request(value)?,
        _ => return Ok(other(addresses, event)),
    };
    Ok(SourceFact {
        addresses,
        happening,
    })
}

fn pushed(value: &Value) -> Result<Happening, Unreadable> {
    let mut happening = push(value, None)?;
    if let Happening::Push(push) = &mut happening {
        push.author = author(value, "/sender/id", "/sender/login");
        push.at = time(value, "/repository/pushed_at");
    }
    Ok(happening)
}

/// Reads a pull request; Gitea writes them in the same way.
pub fn pull_request(value: &Value) -> Result<Happening, Unreadable> {
    let action = needed(value, "/action")?;
    if !BRINGING.contains(&action.as_str()) {
        return Ok(Happening::Other(format!("pull request {action}")));
    }
    let number = number(value, "/pull_request/number")?;
    let from = text(value, "/pull_request/head/repo/id");
    let to = text(value, "/pull_request/base/repo/id");
    Ok(Happening::PullRequest(PullRequest {
        number,
        title: text(value, "/pull_request/title"),
        target: needed(value, "/pull_request/base/ref")?,
        source: text(value, "/pull_request/head/ref"),
        fetch: format!("pull/{number}/head"),
        before: commit(value, "/before"),
        commit: needed_commit(value, "/pull_request/head/sha")?,
        is_fork: differ(&from, &to),
        author: author(value, "/pull_request/user/id", "/pull_request/user/login"),
        at: time(value, "/pull_request/updated_at"),
    }))
}

//! careen's own plain form, for code hosts that have none it knows.

use serde_json::Value;

use super::{
    super::{Happening, PullRequest, SourceFact},
    Unreadable, other,
    reading::{addresses, author, commit, needed, needed_commit, number, push, text, time},
};

/// Reads a delivery in the plain form: `repository`, `ref`, `before`, `after`, `author`, `message`, `paths`.
pub fn read(event: &str, value: &Value) -> Result<SourceFact, Unreadable> {
    let addresses = addresses(value, &["/repository"]);
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
        push.author = author(value, "/author/id", "/author/name");
        push.message = text(value, "/message");
        push.at = time(value, "/at");
        let paths = value.get("paths").and_then(Value::as_array);
        let text = |it: &Value| it.as_str().map(str::to_owned);
        push.paths = paths.map(|it| it.iter().filter_map(text).collect());
    }
    Ok(happening)
}

fn pull_request(value: &Value) -> Result<Happening, Unreadable> {
    let number = number(value, "/number")?;
    let fetch = Some(text(value, "/ref")).filter(|it| !it.is_empty());
    Ok(Happening::PullRequest(PullRequest {
        number,
        title: text(value, "/title"),
        target: needed(value, "/target")?,
        source: text(value, "/source"),
        fetch: fetch.unwrap_or_else(|| format!("pull/{number}/head")),
        before: commit(value, "/before"),
        commit: needed_commit(value, "/after")?,
        // What is not said to be ours is a stranger's.
        is_fork: value.get("fork") != Some(&Value::Bool(false)),
        author: author(value, "/author/id", "/author/name"),
        at: time(value, "/at"),
    }))
}

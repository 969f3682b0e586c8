//! Deliveries of GitLab.

use serde_json::Value;

use super::{
    super::{Happening, PullRequest, SourceFact},
    Unreadable, other,
    reading::{addresses, author, commit, differ, needed, needed_commit, number, push, text, time},
};

const ADDRESSES: &[&str] = &[
    "/project/git_http_url",
    "/project/git_ssh_url",
    "/project/web_url",
    "/repository/git_http_url",
    "/repository/git_ssh_url",
];

/// Reads a delivery of GitLab; the body tells the event itself.
pub fn read(event: &str, value: &Value) -> Result<SourceFact, Unreadable> {
    let addresses = addresses(value, ADDRESSES);
    let happening = match text(value, "/object_kind").as_str() {
        "push" | "tag_push" => pushed(value)?,
        "merge_request" => merge_request(value)?,
        _ => return Ok(other(addresses, event)),
    };
    Ok(SourceFact {
        addresses,
        happening,
    })
}

fn pushed(value: &Value) -> Result<Happening, Unreadable> {
    let total = value.get("total_commits_count").and_then(Value::as_u64);
    let mut happening = push(value, total)?;
    if let Happening::Push(push) = &mut happening {
        // After a tag with a text of its own comes an object that is no commit.
        if let Some(marked) = commit(value, "/checkout_sha") {
            push.commit = marked;
        }
        let own = |it: &Value| text(it, "/id") == push.commit;
        let commits = value.get("commits").and_then(Value::as_array);
        if let Some(head) = commits.and_then(|it| it.iter().find(|it| own(it))) {
            push.message = text(head, "/message");
        }
        push.author = author(value, "/user_id", "/user_username");
    }
    Ok(happening)
}

fn merge_request(value: &Value) -> Result<Happening, Unreadable> {
    let action = text(value, "/object_attributes/action");
    let before = commit(value, "/object_attributes/oldrev");
    // An update without an earlier commit changes words only.
    let brings =
        matches!(action.as_str(), "open" | "reopen") || (action == "update" && before.is_some());
    if !brings {
        return Ok(Happening::Other(format!("merge request {action}")));
    }
    let number = number(value, "/object_attributes/iid")?;
    let from = text(value, "/object_attributes/source_project_id");
    let to = text(value, "/object_attributes/target_project_id");
    let author = author(value, "/object_attributes/author_id", "/user/username");
    Ok(Happening::PullRequest(PullRequest {
        number,
        title: text(value, "/object_attributes/title"),
        target: needed(value, "/object_attributes/target_branch")?,
        source: text(value, "/object_attributes/source_branch"),
        fetch: format!("merge-requests/{number}/head"),
        before,
        commit: needed_commit(value, "/object_attributes/last_commit/id")?,
        is_fork: differ(&from, &to),
        author,
        at: time(value, "/object_attributes/updated_at"),
    }))
}

//! The page of a run and its logs.

use careen::ports::Role;
use serde_json::{Value, json};

use super::visitor::Visitor;

/// A diamond whose last step says something hostile, and where one step fails.
const DIAMOND: &str = "version: v1.1.0
steps:
  - id: first
    cmd: busybox true
    when: ['-']
  - id: left
    cmd: busybox true
    when: [first]
  - id: right
    cmd: busybox true
    when: [first]
  - id: last
    cmd: busybox true
    when: [left, right]
    env: [\"FAKE_OUTPUT=<img src=x onerror=alert(1)>\"]
";

/// Runs a task file over the API to its end.
async fn ran(role: Role, text: &str) -> (Visitor, String) {
    let mut visitor = Visitor::signed_in(role).await;
    let cookie = std::mem::take(&mut visitor.cookie);
    visitor.served.asks_as(Role::Runner).await;
    let id = visitor.served.queues(text).await;
    visitor.served.ended(&id).await;
    visitor.cookie = cookie;
    (visitor, id)
}

#[tokio::test]
async fn a_run_is_drawn_with_its_states_and_its_critical_path() {
    let (visitor, id) = ran(Role::Reader, DIAMOND).await;
    let page = visitor.visits(&format!("/runs/{id}")).await.is(200).text;
    for step in ["first", "left", "right", "last"] {
        assert!(
            page.contains(&format!("<details class=\"step\" id=\"{step}\"")),
            "{step}"
        );
    }
    assert_eq!(page.matches("class=\"node succeeded").count(), 4);
    assert!(page.contains("critical path: first → "), "{page}");
    let edges = &page[page.find("<g id=\"edges\"").expect("edges")..];
    let edges = &edges[..edges.find("</g>").expect("their end")];
    assert_eq!(edges.matches('M').count(), 4, "{edges}");
    let critical = &edges[edges.find("edge critical").expect("a path")..];
    assert_eq!(critical.matches('M').count(), 2, "{edges}");
    assert!(page.len() < 100_000, "{} bytes", page.len());
    assert!(!page.contains("data-live="), "nothing more will happen");
    assert!(!page.contains("/rerun"), "a reader may not");
}

#[tokio::test]
async fn what_a_step_wrote_is_shown_as_text_line_by_line() {
    let text = "steps:\n  - id: say\n    cmd: busybox true\n    env: ['FAKE_OUTPUT=<img src=x onerror=alert(1)>']\n";
    let (visitor, id) = ran(Role::Reader, text).await;
    let window = visitor
        .visits(&format!("/runs/{id}/lines/0/1?from=1&count=5"))
        .await
        .is(200);
    let window: Value = serde_json::from_str(&window.text).expect("JSON");
    let total = window["total"].as_u64().expect("a number");
    assert_eq!(
        window["lines"].as_array().map(Vec::len),
        Some(total as usize)
    );
    let page = visitor
        .visits(&format!("/runs/{id}/log/0/1"))
        .await
        .is(200)
        .text;
    assert!(!page.contains("<img"), "{page}");
    visitor
        .visits(&format!("/runs/{id}/lines/7/1"))
        .await
        .is(404);
}

#[tokio::test]
async fn a_runner_runs_again_and_is_led_to_the_new_run() {
    let (visitor, id) = ran(Role::Runner, DIAMOND).await;
    let path = format!("/runs/{id}");
    let again = visitor
        .fills_in(&path, &format!("{path}/rerun"), &[])
        .await
        .is(303);
    let new = again.header("location").to_owned();
    assert!(new.starts_with("/runs/") && new != path, "{new}");
    visitor.visits(&new).await.is(200);
    visitor.posts(&format!("{path}/cancel"), &[]).await.is(403);
}

#[tokio::test]
async fn a_reader_changes_nothing() {
    let (visitor, id) = ran(Role::Reader, DIAMOND).await;
    // The proof is that of the button to sign out.
    for action in ["rerun", "cancel"] {
        let path = format!("/runs/{id}/{action}");
        visitor.fills_in("/", &path, &[]).await.is(403);
    }
    let runs = visitor
        .served
        .app
        .ports
        .store
        .runs(&Default::default())
        .await;
    assert_eq!(runs.expect("runs").len(), 1);
}

#[tokio::test]
async fn a_file_that_makes_no_plan_without_its_secrets_still_has_a_page() {
    let mut visitor = Visitor::signed_in(Role::Reader).await;
    let cookie = std::mem::take(&mut visitor.cookie);
    visitor.served.asks_as(Role::Runner).await;
    let text = "steps:\n  - id: one\n    cmd: busybox true\n    timeout: {{.Values.limit}}\n";
    let body = json!({ "text": text, "secret_values": { "limit": "60" } });
    let queued = visitor
        .served
        .posts("/api/v1/runs", body)
        .await
        .is(201)
        .json();
    let id = queued["id"].as_str().expect("an id").to_owned();
    visitor.served.ended(&id).await;
    visitor.cookie = cookie;
    let page = visitor.visits(&format!("/runs/{id}")).await.is(200).text;
    assert!(page.contains("id=\"one\""), "{page}");
}

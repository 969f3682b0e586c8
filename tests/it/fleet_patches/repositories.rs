//! A task whose files are in a repository elsewhere takes part in waves: what it makes is learned from its runs.

use serde_json::Value;
use tokio::runtime::Runtime;

use super::{Fleet, runs, stale};
use crate::{careens::Careen, contexts::servers::GitServer, remote::Served};

const OPTIONS: [&str; 4] = ["--worker-name", "w", "--allow", "private-address"];

/// Brings everything stale up to date.
fn patch(client: &Careen) {
    let begun = client.json(&["fleet", "patch", "--all-stale", "--detach"]);
    let id = begun["id"].as_str().expect("an id");
    client.until("the rollout is done", |client| {
        client.json(&["fleet", "rollouts", "show", id])["state"] != "running"
    });
}

/// The newest run of a task.
fn last(client: &Careen, task: &str) -> Value {
    let id = runs(client, task)[0]["id"].clone();
    client.json(&["runs", "show", id.as_str().expect("an id")])
}

#[test]
fn a_task_in_a_repository_is_patched_from_its_commit_whatever_its_branch_says_by_then() {
    let Some(mut fleet) = Fleet::new() else {
        return;
    };
    let runtime = Runtime::new().expect("a runtime");
    let git = runtime.block_on(GitServer::start());
    fleet.push("base", &["FROM busybox", "RUN echo first > /content"]);
    let dockerfile = fleet.place(&["FROM @base", "COPY a /a"]);
    let files = [("Dockerfile", dockerfile.as_str()), ("a", "first\n")];
    let repository = git.repository("app.git", &files);
    let first = repository.git(&["rev-parse", "HEAD"]);
    let (url, image) = (format!("{}#main", git.url("app.git")), fleet.name("app"));
    fleet.careen.keep_track(&image);
    let words = ["task", "create", "app", "-c", &url, "-f", "Dockerfile"];
    let options = ["-t", &image, "--allow", "private-address"];
    fleet.careen.does(&[&words[..], &options].concat()).exits(0);
    fleet.task("top", &["FROM @app", "COPY Dockerfile /top"]);
    let Some(other) = Careen::on_docker() else {
        return;
    };
    let served = Served::new(std::mem::replace(&mut fleet.careen, other), &OPTIONS);
    let client = &served.client;
    patch(client);
    assert_eq!(stale(client), [Value::Null; 0]);
    assert_eq!(last(client, "app")["prepared"]["commit"], first.as_str());

    // The branch goes on, and nobody was told to build that.
    repository.commit(&[("a", "second\n")]);
    fleet.push("base", &["FROM busybox", "RUN echo other > /content"]);
    patch(client);
    let counts = |task: &str| runs(client, task).len();
    assert_eq!((counts("app"), counts("top")), (2, 2));
    let (app, top) = (last(client, "app"), last(client, "top"));
    assert_eq!(app["prepared"]["commit"], first.as_str());
    let told = app["trigger"]["details"]["inputs"]["bases"].as_object();
    let told = told.expect("bases").keys().next().expect("a base").as_str();
    assert!(told.starts_with(&fleet.name("base")), "{app}");
    assert!(
        top["trigger"]["details"]["origin"]["image"] == told,
        "{top}"
    );
    assert_eq!(stale(client), [Value::Null; 0]);
}

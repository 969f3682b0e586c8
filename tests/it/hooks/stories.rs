//! Pushes that start runs, and those that do not.

use careen::{
    engine::RunStatus,
    ports::Placement,
    tasks::{Concurrency, Policy},
};
use serde_json::json;

use super::host::{Host, SECRET};

#[tokio::test]
async fn the_commit_that_was_pushed_is_built_not_what_the_branch_says_later() {
    let host = Host::new().await;
    host.task("web", |_, _| ()).await;
    let pushed = host.repository.commit(&[("a.txt", "pushed")]);
    host.repository
        .commit(&[("acb.yaml", "steps: [{id: wrong, cmd: busybox false}]")]);
    let body = host.push("main", &host.first, &pushed);
    assert_eq!(host.decides("push", "d1", &body).await, "one run");
    let run = host.ended().await;
    assert_eq!(run.status, RunStatus::Succeeded, "{:?}", run.reason);
    assert_eq!(
        (&run.prepared["commit"], &run.prepared["branch"]),
        (&json!(pushed), &json!("main"))
    );
    assert_eq!(run.name, "web");
    let trigger = run.trigger.unwrap();
    assert_eq!(
        (trigger.details["commit"].as_str(), trigger.approved_by),
        (Some(pushed.as_str()), None)
    );
    let again = host
        .served
        .posts(&format!("/api/v1/runs/{}/rerun", run.id), json!(null))
        .await;
    again.is(201);
    let rerun = host.ended().await;
    assert_eq!(
        (rerun.status, &rerun.prepared["commit"]),
        (RunStatus::Succeeded, &json!(pushed))
    );
}

#[tokio::test]
async fn one_push_starts_one_run_however_often_and_by_whatever_door_it_comes() {
    let host = Host::new().await;
    host.task("web", |_, _| ()).await;
    let body = host.push("main", &"0".repeat(40), &host.first);
    assert_eq!(host.decides("push", "d1", &body).await, "one run");
    let again = host.delivers("push", "d1", &body).await.is(200);
    assert_eq!(again.json()["status"], "known");
    let other = host.decides("push", "d2", &body).await;
    assert_eq!(
        other,
        "nothing: the reference stands at this commit already"
    );
    let bytes = body.to_string().into_bytes();
    host.sends("/hooks/web", ("push", "d3", SECRET), bytes)
        .await
        .is(202);
    let own_door = host.decided().await.decision.unwrap();
    assert!(
        own_door.tasks[0].reason.contains("it was started before"),
        "{own_door:?}"
    );
    assert_eq!(host.runs().await.len(), 1);
}

#[tokio::test]
async fn two_branches_at_one_commit_are_two_runs_and_a_return_is_another() {
    let host = Host::new().await;
    host.task("web", |_, _| ()).await;
    let (none, first) = ("0".repeat(40), host.first.clone());
    let second = host.repository.commit(&[("a.txt", "2")]);
    for (id, branch, before, commit, expected) in [
        ("d1", "main", &none, &first, "one run"),
        ("d2", "release", &none, &first, "one run"),
        ("d3", "main", &first, &second, "one run"),
        ("d4", "main", &second, &first, "one run"),
        ("d5", "main", &first, &second, "one run"),
        (
            "d6",
            "release",
            &none,
            &first,
            "nothing: the reference stands at this commit already",
        ),
    ] {
        let decided = host
            .decides("push", id, &host.push(branch, before, commit))
            .await;
        assert_eq!(decided, expected, "{id}");
    }
    assert_eq!(host.runs().await.len(), 5);
}

#[tokio::test]
async fn a_tasks_own_door_starts_that_task_alone() {
    let host = Host::new().await;
    host.task("web", |_, _| ()).await;
    host.task("api", |_, _| ()).await;
    host.source("own", "another secret", Some("api")).await;
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    let body = host
        .push("main", &"0".repeat(40), &host.first)
        .to_string()
        .into_bytes();
    host.sends("/hooks/web", ("push", "d1", "another secret"), body.clone())
        .await
        .is(401);
    host.sends("/hooks/api", ("push", "d1", "another secret"), body.clone())
        .await
        .is(202);
    assert_eq!(host.decided().await.decision.unwrap().summary, "one run");
    host.sends("/hooks", ("push", "d2", SECRET), body)
        .await
        .is(202);
    let shared = host.decided().await.decision.unwrap();
    let started: Vec<_> = shared.tasks.iter().map(|it| it.task.as_str()).collect();
    assert_eq!(started, ["api", "web"], "{shared:?}");
    let names: Vec<String> = host.runs().await.into_iter().map(|run| run.name).collect();
    assert_eq!(names, ["web", "api"]);
}

#[tokio::test]
async fn a_newer_push_cancels_the_older_run_of_its_branch_where_the_task_says_so() {
    let host = Host::new().await;
    let group = Concurrency {
        group: "web {ref}".to_owned(),
        policy: Policy::CancelSuperseded,
    };
    host.task("web", |task, _| {
        task.concurrency = Some(group);
        // No worker serves it: both wait.
        task.pool = Some("nobody".to_owned());
    })
    .await;
    let second = host.repository.commit(&[("a.txt", "2")]);
    host.decides(
        "push",
        "d1",
        &host.push("main", &"0".repeat(40), &host.first),
    )
    .await;
    host.decides(
        "push",
        "d2",
        &host.push("other", &"0".repeat(40), &host.first),
    )
    .await;
    host.decides("push", "d3", &host.push("main", &host.first, &second))
        .await;
    let runs = host.runs().await;
    let stand: Vec<_> = runs.iter().map(|run| run.status).collect();
    assert_eq!(
        stand,
        [RunStatus::Queued, RunStatus::Queued, RunStatus::Canceled]
    );
    let place = Placement::default();
    assert_ne!(
        runs[0].placement.as_ref().map(|it| &it.pool),
        Some(&place.pool)
    );
}

#[tokio::test]
async fn a_replay_starts_another_run_and_says_so() {
    let host = Host::new().await;
    host.task("web", |_, _| ()).await;
    host.decides(
        "push",
        "d1",
        &host.push("main", &"0".repeat(40), &host.first),
    )
    .await;
    let listed = host.served.gets("/api/v1/hooks").await.is(200).json();
    let number = &listed["items"][0]["number"];
    let path = format!("/api/v1/hooks/{number}/replay");
    let again = host.served.posts(&path, json!(null)).await.is(200).json();
    assert_eq!(again["summary"], "1 runs, as replay 1");
    assert_eq!(host.runs().await.len(), 2);
    let shown = host
        .served
        .gets(&format!("/api/v1/hooks/{number}"))
        .await
        .is(200)
        .json();
    assert_eq!(
        (&shown["replays"], &shown["headers"]["x-github-event"]),
        (&json!(1), &json!("push"))
    );
    assert_eq!(
        shown["headers"]["authorization"],
        json!(null),
        "a login is no header to keep"
    );
    host.served.gets("/api/v1/hooks/99").await.is(400);
}

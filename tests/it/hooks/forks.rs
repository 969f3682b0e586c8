//! Pull requests of strangers.

use careen::{engine::RunStatus, tasks::SourceEvent};
use serde_json::{Value, json};

use super::host::Host;

fn request(host: &Host, commit: &str, is_fork: bool) -> Value {
    json!({
        "action": "opened",
        "repository": host.repository_body(),
        "pull_request": {
            "number": 1,
            "title": "Try",
            "user": {"id": 66, "login": "mallory"},
            "head": {"ref": "try", "sha": commit, "repo": {"id": if is_fork { 2 } else { 1 }}},
            "base": {"ref": "main", "sha": host.first, "repo": {"id": 1}},
            "updated_at": "2026-01-02T03:04:05Z",
        },
    })
}

/// A pull request whose task file wants a secret and more rights.
async fn hosted(trusted: &str) -> (Host, String) {
    let host = Host::new().await;
    let text = "steps: [{id: one, cmd: 'busybox echo {{ default \"nothing\" .Values.token }}'}]";
    host.repository.git(&["checkout", "-q", "-b", "try"]);
    let commit = host.repository.commit(&[("acb.yaml", text)]);
    host.repository.git(&["checkout", "-q", "main"]);
    host.repository
        .git(&["update-ref", "refs/pull/1/head", &commit]);
    host.repository.git(&["branch", "-q", "-D", "try"]);
    host.task("web", |task, trigger| {
        task.secret_values = vec!["token".to_owned()];
        task.allow.push("privileged".to_owned());
        trigger.events = vec![SourceEvent::PullRequest];
        trigger.trusted_authors = vec![trusted.to_owned()];
    })
    .await;
    (host, commit)
}

#[tokio::test]
async fn a_strangers_fork_waits_for_approval_and_never_sees_a_secret() {
    let (host, commit) = hosted("1").await;
    assert_eq!(
        host.decides("pull_request", "d1", &request(&host, &commit, true))
            .await,
        "one run"
    );
    let run = host.runs().await.remove(0);
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(
        host.runs().await[0].status,
        RunStatus::Queued,
        "nobody approved it"
    );
    host.served
        .posts(&format!("/api/v1/runs/{}/approve", run.id), json!(null))
        .await
        .is(202);
    let ended = host.ended().await;
    assert_eq!(ended.status, RunStatus::Succeeded, "{:?}", ended.reason);
    assert_eq!(ended.prepared["commit"], json!(commit));
    assert_eq!(ended.request["allow"], json!(["private-address"]));
    let secrets = host.served.app.ports.store.secrets(&run.id).await.unwrap();
    assert_eq!(secrets.len(), 0);
    let log = host
        .served
        .gets(&format!("/api/v1/runs/{}/logs", run.id))
        .await
        .is(200);
    assert!(!log.text.contains("hidden-word"), "{}", log.text);
    host.served
        .posts(&format!("/api/v1/runs/{}/approve", run.id), json!(null))
        .await
        .is(400);
}

#[tokio::test]
async fn a_fork_of_someone_trusted_needs_no_approval_but_sees_no_secret_either() {
    let (host, commit) = hosted("66").await;
    host.decides("pull_request", "d1", &request(&host, &commit, true))
        .await;
    let ended = host.ended().await;
    assert_eq!(ended.status, RunStatus::Succeeded, "{:?}", ended.reason);
    let secrets = host
        .served
        .app
        .ports
        .store
        .secrets(&ended.id)
        .await
        .unwrap();
    assert_eq!(secrets.len(), 0);
}

#[tokio::test]
async fn a_pull_request_of_the_repository_itself_is_no_strangers() {
    let (host, commit) = hosted("1").await;
    host.decides("pull_request", "d1", &request(&host, &commit, false))
        .await;
    let ended = host.ended().await;
    assert_eq!(ended.status, RunStatus::Succeeded, "{:?}", ended.reason);
    let secrets = host
        .served
        .app
        .ports
        .store
        .secrets(&ended.id)
        .await
        .unwrap();
    assert!(
        secrets.iter().any(|(name, _)| name == "value:token"),
        "{secrets:?}"
    );
}

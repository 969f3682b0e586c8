//! Repositories that cannot tell by themselves.

use careen::app::{ConnectionChange, NewConnection, NewPassword, poll_sources};
use tokio_util::sync::CancellationToken;

use super::host::{FILE, Host};
use crate::contexts::servers::TOKEN;

#[tokio::test]
async fn a_poll_finds_what_no_hook_told_and_both_together_start_one_run() {
    let host = Host::new().await;
    host.task("web", |_, trigger| trigger.poll_seconds = Some(5))
        .await;
    let stop = CancellationToken::new();
    let polling = tokio::spawn(poll_sources(host.served.app.clone(), stop.clone()));
    let app = &host.served.app;
    let key = careen::triggers::repository_key(&host.git.url("web.git")).unwrap();
    while !app
        .deliveries
        .knows_head("", &key, "first look")
        .await
        .unwrap()
    {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(
        host.runs().await.len(),
        0,
        "what was there before starts nothing"
    );
    let told = host.repository.commit(&[("a.txt", "told")]);
    let decided = host
        .decides("push", "d1", &host.push("main", &host.first, &told))
        .await;
    assert_eq!(decided, "one run");
    let packs = host.git.packs();
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    assert_eq!(host.runs().await.len(), 1, "the poll saw the same commit");
    let untold = host.repository.commit(&[("a.txt", "untold")]);
    while host.runs().await.len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let run = host.ended().await;
    assert_eq!(run.prepared["commit"], serde_json::json!(untold));
    assert_eq!(run.trigger.unwrap().details["seen_by"], "poll");
    assert!(host.git.packs() >= packs);
    let late = host
        .decides("push", "d2", &host.push("main", &told, &untold))
        .await;
    assert_eq!(late, "nothing: the reference stands at this commit already");
    stop.cancel();
    polling.await.unwrap();
}

#[tokio::test]
async fn a_private_repository_is_asked_and_fetched_with_the_login_of_a_connection() {
    let host = Host::new().await;
    let url = host.git.url("private/web.git");
    let repository = host
        .git
        .repository("private/web.git", &[("acb.yaml", FILE)]);
    let server = url.split('/').nth(2).unwrap().to_owned();
    let new = NewConnection {
        name: "git".to_owned(),
        server,
        username: "ann".to_owned(),
        password: NewPassword::Given(TOKEN.into()),
        change: ConnectionChange::default(),
    };
    let app = &host.served.app;
    app.add_connection(new).await.unwrap();
    host.task("web", |task, trigger| {
        task.context = Some(format!("{url}#main"));
        trigger.repository.clone_from(&url);
        trigger.poll_seconds = Some(5);
        trigger.connection = Some("git".to_owned());
    })
    .await;
    let stop = CancellationToken::new();
    let polling = tokio::spawn(poll_sources(app.clone(), stop.clone()));
    let key = careen::triggers::repository_key(&url).unwrap();
    let knows = async || app.deliveries.knows_head("", &key, "first look").await;
    while !knows().await.unwrap() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let commit = repository.commit(&[("a.txt", "new")]);
    while host.runs().await.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let run = host.ended().await;
    assert_eq!(run.status.as_str(), "succeeded", "{:?}", run.reason);
    assert_eq!(run.prepared["commit"], serde_json::json!(commit));
    let logins = host.git.logins();
    let own = format!("ann:{TOKEN}");
    assert!(
        !logins.is_empty() && logins.iter().all(|it| *it == own),
        "{logins:?}"
    );
    stop.cancel();
    polling.await.unwrap();
}

//! Code hosts are told how runs go.

use std::{sync::Arc, time::Duration};

use careen::{
    adapters::web::Web,
    app::{NewSource, ReportTerms},
    triggers::Provider,
};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

use super::host::{Host, SECRET};

async fn reporting(interface: &MockServer) -> Host {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let host = Host::through(Arc::new(Web)).await;
    let source = NewSource {
        name: "hub".to_owned(),
        provider: Provider::Github,
        task: None,
        secret: Some(SECRET.to_owned().into()),
        token: Some("a token".to_owned().into()),
        api: Some(interface.uri()),
    };
    host.served.app.set_hook_source(source).await.unwrap();
    host
}

fn terms() -> ReportTerms {
    ReportTerms {
        public_url: Some("https://ci.example.com/".to_owned()),
        allow_private: true,
    }
}

/// What the code host was told: path, login and body.
async fn told(interface: &MockServer) -> Vec<(String, String, Value)> {
    let asked = interface.received_requests().await.unwrap();
    let told = asked.iter().map(|request| {
        let login = request.headers.get("authorization").unwrap();
        (
            request.url.path().to_owned(),
            login.to_str().unwrap().to_owned(),
            request.body_json().unwrap(),
        )
    });
    told.collect()
}

#[tokio::test]
async fn a_commit_is_pending_until_its_run_has_ended_and_then_says_how() {
    let interface = MockServer::start().await;
    let fine = Mock::given(method("POST")).respond_with(ResponseTemplate::new(201));
    fine.mount(&interface).await;
    let host = reporting(&interface).await;
    // Nobody serves the pool until later.
    host.task("web", |task, _| task.pool = Some("later".to_owned()))
        .await;
    host.decides(
        "push",
        "d1",
        &host.push("main", &"0".repeat(40), &host.first),
    )
    .await;
    let app = &host.served.app;
    assert_eq!(app.report_batch(&terms()).await.unwrap(), 1);
    assert_eq!(
        app.report_batch(&terms()).await.unwrap(),
        0,
        "nothing has changed"
    );
    let run = host.runs().await.remove(0).id;
    app.cancel(&run, "no more").await.unwrap();
    assert_eq!(app.report_batch(&terms()).await.unwrap(), 1);
    assert_eq!(app.report_batch(&terms()).await.unwrap(), 0);
    let told = told(&interface).await;
    let path = format!("/repos/web/statuses/{}", host.first);
    assert_eq!((&told[0].0, told[0].1.as_str()), (&path, "Bearer a token"));
    assert_eq!(told[0].2["state"], "pending");
    assert_eq!(told[0].2["context"], "careen/web");
    assert_eq!(
        told[0].2["target_url"],
        json!(format!("https://ci.example.com/api/v1/runs/{run}"))
    );
    assert_eq!(told[1].2["state"], "error");
    assert_eq!(told.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_told_now_is_told_later() {
    let interface = MockServer::start().await;
    let busy = Mock::given(method("POST")).respond_with(ResponseTemplate::new(503));
    busy.up_to_n_times(1).mount(&interface).await;
    let fine = Mock::given(method("POST")).respond_with(ResponseTemplate::new(201));
    fine.mount(&interface).await;
    let host = reporting(&interface).await;
    host.task("web", |_, _| ()).await;
    host.decides(
        "push",
        "d1",
        &host.push("main", &"0".repeat(40), &host.first),
    )
    .await;
    host.ended().await;
    let app = &host.served.app;
    assert_eq!(app.report_batch(&terms()).await.unwrap(), 1);
    assert_eq!(app.report_batch(&terms()).await.unwrap(), 0, "not at once");
    tokio::time::sleep(Duration::from_millis(2200)).await;
    assert_eq!(app.report_batch(&terms()).await.unwrap(), 1);
    let told = told(&interface).await;
    let states: Vec<&Value> = told.iter().map(|it| &it.2["state"]).collect();
    assert_eq!(states, ["success", "success"]);
}

#[tokio::test]
async fn a_code_host_in_a_private_network_is_told_only_where_that_is_allowed() {
    let interface = MockServer::start().await;
    let host = reporting(&interface).await;
    host.task("web", |_, _| ()).await;
    let push = host.push("main", &"0".repeat(40), &host.first);
    host.decides("push", "d1", &push).await;
    host.ended().await;
    let terms = ReportTerms::default();
    let app = &host.served.app;
    assert_eq!(app.report_batch(&terms).await.unwrap(), 1);
    assert_eq!(app.report_batch(&terms).await.unwrap(), 0, "given up");
    assert!(told(&interface).await.is_empty());
}

#[tokio::test]
async fn a_delivery_cannot_lead_the_token_of_its_source_to_another_host() {
    let interface = MockServer::start().await;
    let host = reporting(&interface).await;
    host.task("web", |_, _| ()).await;
    let mut push = host.push("main", &"0".repeat(40), &host.first);
    let own = push["repository"]["clone_url"].take();
    push["repository"]["clone_url"] = json!(format!("{}/a/web.git", interface.uri()));
    push["repository"]["html_url"] = own;
    host.decides("push", "d1", &push).await;
    host.ended().await;
    host.served.app.report_batch(&terms()).await.unwrap();
    let told = told(&interface).await;
    assert_eq!(told.len(), 1, "at the interface that was set");
    let path = format!("/repos/web/statuses/{}", host.first);
    assert_eq!(told[0].0, path, "of the repository that the task names");
}

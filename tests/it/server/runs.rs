//! Runs over the API.

use std::time::Duration;

use careen::server::{Terms, openapi};
use serde_json::{Value, json};

use super::asked::{Served, TASK};

#[tokio::test]
async fn a_queued_run_runs_and_shows_its_steps() {
    let served = Served::new().await;
    let id = served.queues(TASK).await;
    let run = served.ended(&id).await;
    assert_eq!(run["status"], "succeeded");
    assert_eq!(run["step_list"][0]["id"], "one");
    let latest = served.gets("/api/v1/runs/latest").await.json();
    assert_eq!(latest["id"], Value::from(id));
    served
        .gets("/api/v1/runs/nothing")
        .await
        .refuses(404, "no_such_run");
}

#[tokio::test]
async fn a_wrong_task_file_is_refused_with_every_finding_and_nothing_is_recorded() {
    let served = Served::new().await;
    let text = "steps:\n  - cmd: a\n    when: [x]\n  - cmd: b\n    retries: many\n";
    let answer = served.posts("/api/v1/runs", json!({ "text": text })).await;
    let error = answer.refuses(422, "task_file_invalid").json()["error"].clone();
    assert!(
        error["findings"]
            .as_array()
            .is_some_and(|it| !it.is_empty()),
        "{error}"
    );
    let runs = served.gets("/api/v1/runs").await.json();
    assert_eq!(runs["items"], json!([]));
}

#[tokio::test]
async fn what_a_body_gets_wrong_is_said() {
    let served = Served::new().await;
    for (body, code) in [
        (json!({ "text": TASK, "colour": 1 }), "invalid_body"),
        (json!("text"), "invalid_body"),
        (json!({ "file": "acb.yaml" }), "invalid_request"),
    ] {
        served.posts("/api/v1/runs", body).await.refuses(400, code);
    }
    served
        .gets("/api/v2/runs")
        .await
        .refuses(404, "no_such_path");
}

#[tokio::test]
async fn what_opens_the_host_is_refused_unless_the_server_allows_it() {
    let text = "steps:\n  - cmd: busybox true\n    privileged: true\n";
    let body = json!({ "text": text, "allow": ["privileged"] });
    let served = Served::new().await;
    served
        .posts("/api/v1/runs", body.clone())
        .await
        .refuses(403, "not_allowed");
    let task = json!({ "definition": { "yaml": text, "allow": ["privileged"] } });
    served
        .asks("PUT", "/api/v1/tasks/a", &[], task)
        .await
        .refuses(403, "not_allowed");
    let terms = Terms {
        is_open: true,
        allow: vec!["privileged".to_owned()],
        ..Terms::default()
    };
    let served = Served::on(terms).await;
    served.posts("/api/v1/runs", body).await.is(201);
}

#[tokio::test]
async fn secrets_of_a_request_are_nowhere_in_what_is_shown() {
    let served = Served::new().await;
    let text = "steps:\n  - id: one\n    cmd: busybox echo {{.Values.token}}\n";
    let body = json!({ "text": text, "secret_values": { "token": "hunter2-hunter2" } });
    let id = served.posts("/api/v1/runs", body).await.is(201).json()["id"].clone();
    let id = id.as_str().unwrap();
    assert_eq!(served.ended(id).await["status"], "succeeded");
    let shown = served.gets(&format!("/api/v1/runs/{id}")).await.text;
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_run_is_canceled_and_run_again() {
    let served = Served::new().await;
    let id = served
        .queues("steps:\n  - cmd: busybox sleep 600\n    env: [FAKE_SLEEP_MS=600000]\n")
        .await;
    served
        .posts(&format!("/api/v1/runs/{id}/cancel"), Value::Null)
        .await
        .is(202);
    assert_eq!(served.ended(&id).await["status"], "canceled");
    let again = served
        .posts(&format!("/api/v1/runs/{id}/rerun"), Value::Null)
        .await;
    let again = again.is(201).json()["id"].clone();
    let again = served
        .gets(&format!("/api/v1/runs/{}", again.as_str().unwrap()))
        .await;
    assert_eq!(again.json()["rerun_of"], Value::from(id));
}

#[tokio::test]
async fn the_description_names_every_route_and_is_served_with_a_page() {
    let served = Served::new().await;
    let described = served.gets("/api/v1/openapi.json").await.is(200).json();
    assert_eq!(described, serde_json::to_value(openapi()).unwrap());
    for path in [
        "/api/v1/runs",
        "/api/v1/tasks/{task}",
        "/api/v1/tokens",
        "/api/v1/audit",
    ] {
        assert!(described["paths"][path].is_object(), "{path}");
    }
    let page = served.gets("/docs/").await.is(200);
    assert!(page.text.contains("swagger-ui"), "{}", page.text);
}

#[tokio::test]
async fn metrics_count_requests_by_their_route_and_runs_by_how_they_ended() {
    let served = Served::new().await;
    let id = served.queues(TASK).await;
    served.ended(&id).await;
    let mut metrics = String::new();
    // An end is counted a little after it is there.
    for _ in 0..600 {
        metrics = served.gets("/metrics").await.is(200).text;
        if metrics.contains("careen_step_seconds") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for word in [
        "careen_leases ",
        "careen_triggers_total{kind=\"person\"}",
        "careen_run_wait_seconds",
        "careen_run_seconds",
        "careen_step_seconds",
        "careen_http_requests_total{method=\"POST\",path=\"/api/v1/runs\",status=\"201\"}",
        "careen_runs{status=\"queued\"}",
        "careen_runs_ended_total{status=\"succeeded\"}",
    ] {
        assert!(metrics.contains(word), "no {word} in\n{metrics}");
    }
    assert!(!metrics.contains(&id), "ids would make a series each");
}

#[tokio::test]
async fn a_server_that_stops_is_no_longer_ready() {
    let served = Served::new().await;
    served.stop.cancel();
    served.gets("/readyz").await.is(503);
    served.gets("/healthz").await.is(200);
}

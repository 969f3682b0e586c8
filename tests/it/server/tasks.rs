//! Stored tasks over the API.

use serde_json::{Value, json};

use super::asked::{Served, TASK};

fn task(priority: i32) -> Value {
    json!({ "definition": { "yaml": TASK, "priority": priority } })
}

#[tokio::test]
async fn a_task_is_put_shown_listed_and_deleted_and_its_versions_stay() {
    let served = Served::new().await;
    let put = served
        .asks("PUT", "/api/v1/tasks/a", &[], task(1))
        .await
        .is(200);
    assert_eq!(
        (put.header("etag"), &put.json()["version"]),
        ("\"1\"", &json!(1))
    );
    served
        .asks("PUT", "/api/v1/tasks/a", &[], task(2))
        .await
        .is(200);
    let list = served.gets("/api/v1/tasks").await.is(200).json();
    assert_eq!(list["items"][0]["definition"]["priority"], 2);
    served
        .asks("DELETE", "/api/v1/tasks/a", &[], Value::Null)
        .await
        .is(204);
    served
        .gets("/api/v1/tasks/a")
        .await
        .refuses(404, "no_such_task");
    let versions = served.gets("/api/v1/tasks/a/versions").await.is(200).json();
    assert_eq!(versions.as_array().map(Vec::len), Some(3));
    let first = served
        .gets("/api/v1/tasks/a/versions/1")
        .await
        .is(200)
        .json();
    assert_eq!(first["definition"]["priority"], 1);
    served
        .gets("/api/v1/tasks/a/versions/9")
        .await
        .refuses(404, "no_such_version");
}

#[tokio::test]
async fn a_put_on_a_condition_changes_nothing_when_the_condition_does_not_hold() {
    let served = Served::new().await;
    let put = async |name, value, body| {
        let headers = [(name, value)];
        served.asks("PUT", "/api/v1/tasks/a", &headers, body).await
    };
    put("if-none-match", "*", task(1)).await.is(200);
    put("if-none-match", "*", task(2))
        .await
        .refuses(409, "task_exists");
    put("if-match", "\"1\"", task(2)).await.is(200);
    put("if-match", "\"1\"", task(3))
        .await
        .refuses(412, "task_moved");
    put("if-match", "soon", task(3))
        .await
        .refuses(400, "invalid_condition");
    let shown = served.gets("/api/v1/tasks/a").await.json();
    assert_eq!(shown["definition"]["priority"], 2);
}

#[tokio::test]
async fn a_definition_that_makes_no_sense_is_refused_with_all_that_is_wrong() {
    let served = Served::new().await;
    let body = json!({ "definition": { "cpu": -1, "max_runs": 0 } });
    let answer = served.asks("PUT", "/api/v1/tasks/a", &[], body).await;
    let answer = answer.refuses(400, "invalid_request");
    for field in ["context", "cpu", "max_runs"] {
        assert!(answer.text.contains(field), "{}", answer.text);
    }
    let other = json!({ "definition": { "name": "b", "yaml": TASK } });
    served
        .asks("PUT", "/api/v1/tasks/a", &[], other)
        .await
        .refuses(400, "invalid_body");
}

#[tokio::test]
async fn a_task_is_run_with_its_secrets_and_what_the_run_sets_over_it() {
    let served = Served::new().await;
    let yaml = "steps:\n  - id: one\n    cmd: busybox echo {{.Values.a}} {{.Values.token}}\n";
    let body = json!({
        "definition": { "yaml": yaml, "values": { "a": "x" }, "secret_values": ["token"] },
        "secrets": { "token": "hunter2-hunter2" },
    });
    let put = served
        .asks("PUT", "/api/v1/tasks/a", &[], body)
        .await
        .is(200);
    assert!(!put.text.contains("hunter2"));
    let wish = json!({ "values": { "a": "y" } });
    let run = served
        .posts("/api/v1/tasks/a/runs", wish)
        .await
        .is(201)
        .json();
    let run = served.ended(run["id"].as_str().unwrap()).await;
    assert_eq!(
        (&run["status"], &run["name"]),
        (&json!("succeeded"), &json!("a"))
    );
    assert_eq!(run["request"]["values"], json!({ "a": "y" }));
    assert!(!run.to_string().contains("hunter2"));
}

#[tokio::test]
async fn a_disabled_task_is_not_run() {
    let served = Served::new().await;
    let body = json!({ "definition": { "yaml": TASK, "status": "disabled" } });
    served
        .asks("PUT", "/api/v1/tasks/a", &[], body)
        .await
        .is(200);
    let answer = served.posts("/api/v1/tasks/a/runs", json!({})).await;
    let answer = answer.refuses(400, "invalid_request");
    assert!(answer.text.contains("careen task enable a"));
}

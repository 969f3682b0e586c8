//! The fleet and its rollouts over the API.

use careen::ports::Role;
use serde_json::{Value, json};

use super::asked::Served;

/// A task that pushes `r.io/app:1` and stands on `r.io/base:1`.
fn task(folder: &std::path::Path) -> Value {
    std::fs::write(folder.join("Dockerfile"), "FROM r.io/base:1\n").unwrap();
    json!({ "definition": {
        "context": folder,
        "build": { "images": ["r.io/app:1"], "dockerfile": "Dockerfile", "push": true },
    } })
}

#[tokio::test]
async fn editors_begin_and_change_rollouts_and_readers_look_at_them() {
    let mut served = Served::new().await;
    let folder = tempfile::tempdir().unwrap();
    served
        .asks("PUT", "/api/v1/tasks/app", &[], task(folder.path()))
        .await
        .is(200);
    let wish = json!({ "bases": ["r.io/base:1"], "max_parallel": 2 });
    for role in [Role::Reader, Role::Runner] {
        served.asks_as(role).await;
        let refused = served.posts("/api/v1/rollouts", wish.clone()).await;
        assert_eq!(refused.status, 403, "{role:?}");
    }
    served.asks_as(Role::Editor).await;
    let begun = served
        .posts("/api/v1/rollouts", wish.clone())
        .await
        .is(201)
        .json();
    assert_eq!(
        (&begun["state"], &begun["tasks"]),
        (&json!("running"), &json!(["app"]))
    );
    assert!(
        begun["by"].as_str().unwrap().starts_with("editor"),
        "{begun}"
    );
    let path = format!("/api/v1/rollouts/{}", begun["id"].as_str().unwrap());
    let changed = |verb: &str| format!("{path}/{verb}");
    for (verb, state) in [
        ("pause", "paused"),
        ("resume", "running"),
        ("cancel", "canceled"),
    ] {
        let answer = served.posts(&changed(verb), Value::Null).await.is(200);
        assert_eq!(answer.json()["state"], state);
    }
    let again = served.posts(&changed("resume"), Value::Null).await;
    again.refuses(400, "invalid_request");
    let unknown = json!({ "bases": ["r.io/other:1"] });
    let refused = served.posts("/api/v1/rollouts", unknown).await;
    refused.refuses(400, "invalid_request");
    let bad = json!({ "schedule": "at noon" });
    let refused = served.posts("/api/v1/rollouts", bad).await;
    refused.refuses(400, "invalid_request");

    served.asks_as(Role::Reader).await;
    let shown = served.gets(&path).await.is(200).json();
    assert_eq!(shown["left"][0]["task"], "app");
    let listed = served.gets("/api/v1/rollouts").await.is(200).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let open = served.gets("/api/v1/rollouts?open=true").await.is(200);
    assert_eq!(open.json(), json!([]));
}

#[tokio::test]
async fn the_fleet_is_shown_planned_reported_and_explained() {
    let served = Served::new().await;
    let folder = tempfile::tempdir().unwrap();
    served
        .asks("PUT", "/api/v1/tasks/app", &[], task(folder.path()))
        .await
        .is(200);
    let page = served.gets("/api/v1/fleet").await.is(200).json();
    assert_eq!(
        (&page["counts"]["tasks"], &page["counts"]["foreign"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(page["graph"]["edges"], json!([[0, 1]]));
    assert_eq!(page["levels"][1]["nodes"], 1);
    let graph = served.gets("/api/v1/fleet/graph?format=dot").await.is(200);
    assert!(graph.text.starts_with("digraph"), "{}", graph.text);
    let wrong = served.gets("/api/v1/fleet/graph?format=png").await;
    wrong.refuses(400, "invalid_request");
    let stale = served.gets("/api/v1/fleet/status").await.is(200).json();
    assert_eq!(stale[0]["name"], "app");
    let plan = served.gets("/api/v1/fleet/plan?bases=r.io/base:1").await;
    assert_eq!(plan.is(200).json()["slots"][0]["task"], "app");
    let report = served.gets("/api/v1/fleet/report").await.is(200).json();
    assert_eq!(report["stale"], 1);
    let why = served.gets("/api/v1/fleet/why?of=r.io/app:1").await;
    let why = why.is(200).json();
    assert!(
        why["lines"][1].as_str().unwrap().contains("r.io/base:1"),
        "{why}"
    );
}

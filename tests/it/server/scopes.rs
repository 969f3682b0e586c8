//! Tokens whose runs may use only some of the server's credentials.

use careen::ports::Role;
use serde_json::{Value, json};

use super::asked::{Served, TASK};

/// Asks with a new runner's token that is bounded so.
async fn bounded(served: &mut Served, credentials: Value) {
    served.asks_as(Role::Admin).await;
    let new = json!({ "name": "ci", "role": "runner", "credentials": credentials });
    let made = served.posts("/api/v1/tokens", new).await.is(201).json();
    assert_eq!(made["credentials"], credentials);
    served.bears(made["secret"].as_str().unwrap());
}

async fn bounds(served: &Served, run: &str) -> Value {
    served.app.ports.store.run(run).await.unwrap().request["bounds"].clone()
}

async fn queued(served: &Served, path: &str, body: Value) -> String {
    let queued = served.posts(path, body).await.is(201).json();
    queued["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_way_to_queue_binds_the_run_and_bounds_only_ever_add_up() {
    let mut served = Served::new().await;
    let task = json!({ "definition": { "yaml": TASK } });
    served
        .asks("PUT", "/api/v1/tasks/a", &[], task)
        .await
        .is(200);
    let text = json!({ "text": "steps: [{id: one, cmd: busybox x, env: [FAKE_EXIT_CODE=1]}]" });
    let free = queued(&served, "/api/v1/runs", text.clone()).await;
    assert_eq!(bounds(&served, &free).await, Value::Null);
    let (one, two) = (json!(["pull:r.io/team"]), json!(["push:r.io/team/app"]));
    bounded(&mut served, one.clone()).await;
    let own = queued(&served, "/api/v1/runs", text).await;
    let of_task = queued(&served, "/api/v1/tasks/a/runs", json!({})).await;
    served.ended(&own).await;
    served.ended(&free).await;
    let again = |run: &str, how: &str| format!("/api/v1/runs/{run}/{how}");
    let rerun = queued(&served, &again(&free, "rerun"), Value::Null).await;
    let retry = queued(&served, &again(&own, "retry"), Value::Null).await;
    for run in [&own, &of_task, &rerun, &retry] {
        assert_eq!(bounds(&served, run).await, json!([one]), "{run}");
    }
    bounded(&mut served, two.clone()).await;
    let both = queued(&served, &again(&own, "rerun"), Value::Null).await;
    assert_eq!(bounds(&served, &both).await, json!([one, two]));
    served.settles().await;
}

#[tokio::test]
async fn who_is_bounded_replays_nothing_and_who_may_change_tasks_is_not_bounded() {
    let mut served = Served::new().await;
    bounded(&mut served, json!([])).await;
    served
        .posts("/api/v1/hooks/1/replay", Value::Null)
        .await
        .refuses(403, "credentials_bounded");
    served.asks_as(Role::Admin).await;
    let editor = json!({ "name": "x", "role": "editor", "credentials": ["pull:r.io"] });
    served.posts("/api/v1/tokens", editor).await.is(400);
    let odd = json!({ "name": "x", "role": "runner", "credentials": ["r.io"] });
    served
        .posts("/api/v1/tokens", odd)
        .await
        .refuses(400, "invalid_body");
}

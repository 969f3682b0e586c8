//! Runs in the queue: where their task puts them, why they wait, and what ends them there.

use serde_json::{Value, json};

use careen::ports::WorkerFacts;

use super::asked::{Served, TASK};
use crate::every_store::ample;

async fn task(served: &Served, definition: Value) {
    let body = json!({ "definition": definition });
    served
        .asks("PUT", "/api/v1/tasks/a", &[], body)
        .await
        .is(200);
}

async fn run(served: &Served) -> Value {
    let answer = served.posts("/api/v1/tasks/a/runs", json!({})).await;
    answer.is(201).json()
}

async fn shown(served: &Served, run: &Value) -> Value {
    let id = run["id"].as_str().unwrap();
    served
        .gets(&format!("/api/v1/runs/{id}"))
        .await
        .is(200)
        .json()
}

#[tokio::test]
async fn a_task_says_where_its_runs_wait() {
    let served = Served::new().await;
    let definition = json!({
        "yaml": TASK, "pool": "arm", "priority": 7, "on_worker_loss": "retry",
        "concurrency": { "group": "deploy", "policy": "skip" },
    });
    task(&served, definition).await;
    let first = run(&served).await;
    let placement = shown(&served, &first).await["placement"].clone();
    assert_eq!(
        placement,
        json!({
            "pool": "arm", "priority": 7, "task": "a", "on_worker_loss": "retry", "needs": {},
            "group": { "name": "deploy", "policy": "skip" },
        })
    );
    let second = run(&served).await;
    assert_eq!(second["status"], "canceled", "{second}");
    let by = first["id"].as_str().unwrap();
    assert!(second["reason"].as_str().unwrap().contains(by), "{second}");
}

#[tokio::test]
async fn a_run_of_a_client_waits_where_it_asks_to() {
    let served = Served::new().await;
    let body = json!({ "text": TASK, "place": { "pool": "arm", "priority": 3 } });
    let run = served.posts("/api/v1/runs", body).await.is(201).json();
    let placement = shown(&served, &run).await["placement"].clone();
    assert_eq!(
        (&placement["pool"], &placement["priority"]),
        (&json!("arm"), &json!(3))
    );
}

#[tokio::test]
async fn who_waits_is_told_how_many_go_before_and_ends_at_once_when_canceled() {
    let served = Served::new().await;
    task(&served, json!({ "yaml": TASK, "pool": "nobody-serves-it" })).await;
    let (first, second) = (run(&served).await, run(&served).await);
    let place = |run: Value| run["place"].clone();
    assert_eq!(
        place(shown(&served, &first).await),
        json!({ "ahead": 0, "waits_for": ["no worker of pool nobody-serves-it is at work"] })
    );
    assert_eq!(place(shown(&served, &second).await)["ahead"], 1);
    let listed = served
        .gets("/api/v1/runs?places=true&task=a")
        .await
        .is(200)
        .json();
    assert_eq!(listed["items"][0]["place"]["ahead"], 1, "{listed}");
    let id = first["id"].as_str().unwrap();
    let canceled = served
        .posts(&format!("/api/v1/runs/{id}/cancel"), Value::Null)
        .await;
    assert_eq!(canceled.is(202).json()["status"], "canceled");
    assert_eq!(place(shown(&served, &second).await)["ahead"], 0);
}

#[tokio::test]
async fn no_more_runs_of_a_task_are_under_way_than_it_allows() {
    let served = Served::new().await;
    let slow = "steps:\n  - cmd: busybox x\n    env: [FAKE_SLEEP_MS=400]\n";
    task(&served, json!({ "yaml": slow, "max_runs": 1 })).await;
    let (first, second) = (run(&served).await, run(&served).await);
    let reason = loop {
        let shown = shown(&served, &second).await;
        let reasons = shown["place"]["waits_for"].as_array().into_iter().flatten();
        let mut reasons = reasons.filter_map(Value::as_str);
        // Before the worker has said that it is here, that is a reason, too.
        if let Some(reason) = reasons.find(|it| it.contains("at most")) {
            break reason.to_owned();
        }
        assert_eq!(shown["ended_at"], Value::Null, "{shown}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    assert_eq!(reason, "1 of at most 1 runs of task a are under way");
    let ended = served.ended(second["id"].as_str().unwrap()).await;
    let first = served.ended(first["id"].as_str().unwrap()).await;
    let time = |run: &Value, name: &str| run[name].as_str().unwrap().to_owned();
    assert!(time(&ended, "started_at") >= time(&first, "ended_at"));
}

#[tokio::test]
async fn only_what_did_not_succeed_is_retried() {
    let served = Served::new().await;
    let good = served.queues(TASK).await;
    served.ended(&good).await;
    let retry = |run: &str| format!("/api/v1/runs/{run}/retry");
    let refused = served.posts(&retry(&good), Value::Null).await;
    refused.refuses(400, "invalid_request");
    let bad = served
        .queues("steps:\n  - cmd: busybox x\n    env: [FAKE_EXIT_CODE=3]\n")
        .await;
    served.ended(&bad).await;
    let again = served.posts(&retry(&bad), Value::Null).await.is(201).json();
    let again = served.ended(again["id"].as_str().unwrap()).await;
    assert_eq!(again["cause"], format!("retry of {bad}"));
    assert_eq!(
        (&again["status"], &again["rerun_of"]),
        (&json!("failed"), &json!(bad))
    );
}

fn worker(name: &str, problem: Option<&str>) -> WorkerFacts {
    WorkerFacts {
        name: name.to_owned(),
        pool: "default".to_owned(),
        capacity: ample(),
        parallel_runs: 1,
        engine: "e".to_owned(),
        engine_version: "1".to_owned(),
        version: "1".to_owned(),
        problem: problem.map(str::to_owned),
    }
}

#[tokio::test]
async fn a_run_that_no_worker_takes_says_why() {
    let served = Served::new().await;
    let definition = json!({
        "yaml": TASK, "cpu": 65, "platform": "linux/amd64", "labels": { "gpu": "yes" },
    });
    task(&served, definition).await;
    let id = run(&served).await;
    let reasons = async || shown(&served, &id).await["place"]["waits_for"].to_string();
    assert!(
        reasons()
            .await
            .contains("no worker of pool default is at work")
    );
    served
        .app
        .workers
        .worker_is_here(&worker("w1", None))
        .await
        .unwrap();
    assert!(
        reasons().await.contains("w1 has 64 of 65 CPUs"),
        "{}",
        reasons().await
    );
    let away = worker("w2", Some("no engine"));
    served.app.workers.worker_is_here(&away).await.unwrap();
    assert!(
        reasons().await.contains("w2 takes no runs: no engine"),
        "{}",
        reasons().await
    );
    let mut large = worker("w3", None);
    large.capacity.cpu_millis = 65_000;
    served.app.workers.worker_is_here(&large).await.unwrap();
    assert!(
        reasons().await.contains("w3 has no label gpu=yes"),
        "{}",
        reasons().await
    );
    large
        .capacity
        .labels
        .insert("gpu".to_owned(), "yes".to_owned());
    served.app.workers.worker_is_here(&large).await.unwrap();
    assert_eq!(reasons().await, "[]");
    served
        .posts("/api/v1/workers/w3/drain", json!({}))
        .await
        .is(204);
    assert!(
        reasons().await.contains("w3 is draining"),
        "{}",
        reasons().await
    );
    served
        .posts("/api/v1/workers/w9/drain", json!({}))
        .await
        .is(400);
    let listed = served.gets("/api/v1/workers").await.is(200).json();
    let states: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["active", "active", "draining"]);
    served
        .posts("/api/v1/workers/w3/resume", json!({}))
        .await
        .is(204);
    assert_eq!(reasons().await, "[]");
}

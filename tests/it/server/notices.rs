//! Notices of the ends of runs, and a folder of manifests that is watched.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use careen::{
    app::Notices,
    ports::{Courier, CourierError, Parcel},
    server::watch_specs,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::asked::{Served, TASK};

/// Remembers what was carried; fails the first so many times.
#[derive(Default)]
struct Carried {
    parcels: Mutex<Vec<Parcel>>,
    failures: Mutex<u32>,
}

#[async_trait]
impl Courier for Carried {
    async fn carry(&self, parcel: &Parcel) -> Result<(), CourierError> {
        self.parcels.lock().unwrap().push(parcel.clone());
        let mut left = self.failures.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            return Err(CourierError::TryAgain("not now".to_owned()));
        }
        Ok(())
    }
}

impl Carried {
    fn bodies(&self) -> Vec<Value> {
        let parcels = self.parcels.lock().unwrap();
        let body = |it: &Parcel| serde_json::from_str(&it.body).unwrap();
        parcels.iter().map(body).collect()
    }
}

async fn telling(carried: &Arc<Carried>, hook: &str) -> Served {
    let key = SecretString::from("key");
    let notices = Notices::new(vec![hook.parse().unwrap()], key);
    Served::telling(notices, carried.clone()).await
}

#[tokio::test]
async fn the_end_of_a_run_is_told_signed_and_named_the_same_at_each_try() {
    let carried = Arc::new(Carried::default());
    *carried.failures.lock().unwrap() = 1;
    let served = telling(&carried, "https://hooks.test/a").await;
    let id = served.queues(TASK).await;
    served.ended(&id).await;
    served.settles().await;
    let parcels = carried.parcels.lock().unwrap().clone();
    assert_eq!(parcels.len(), 2);
    assert_eq!(parcels[0], parcels[1]);
    let header = |name: &str| {
        let headers = parcels[0].headers.iter();
        headers
            .clone()
            .find(|it| it.0 == name)
            .map(|it| it.1.clone())
    };
    assert_eq!(header("careen-delivery"), Some(format!("{id}.1")));
    // Independently: HMAC-SHA256 over the body.
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"key").unwrap();
    mac.update(parcels[0].body.as_bytes());
    let digits: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    assert_eq!(header("careen-signature"), Some(format!("sha256={digits}")));
    assert_eq!(carried.bodies()[0]["run"]["status"], "succeeded");
}

#[tokio::test]
async fn a_hook_for_recoveries_is_told_the_failure_and_the_success_after_it() {
    let carried = Arc::new(Carried::default());
    let served = telling(&carried, "recoveries:https://hooks.test/a").await;
    for code in [0, 3, 0, 0] {
        let text = format!("steps:\n  - cmd: busybox x\n    env: [FAKE_EXIT_CODE={code}]\n");
        let body = json!({ "text": text, "name": "nightly" });
        let run = served.posts("/api/v1/runs", body).await.is(201).json();
        served.ended(run["id"].as_str().unwrap()).await;
        served.settles().await;
    }
    let told: Vec<Value> = carried
        .bodies()
        .iter()
        .map(|it| it["run"]["status"].clone())
        .collect();
    assert_eq!(told, ["failed", "succeeded"]);
}

#[tokio::test]
async fn a_task_has_hooks_of_its_own() {
    let carried = Arc::new(Carried::default());
    let served = telling(&carried, "failures:https://hooks.test/all").await;
    let task = json!({ "definition": { "yaml": TASK, "notify": ["https://hooks.test/mine"] } });
    served
        .asks("PUT", "/api/v1/tasks/a", &[], task)
        .await
        .is(200);
    let run = served
        .posts("/api/v1/tasks/a/runs", json!({}))
        .await
        .is(201)
        .json();
    served.ended(run["id"].as_str().unwrap()).await;
    served.settles().await;
    let urls: Vec<String> = carried
        .parcels
        .lock()
        .unwrap()
        .iter()
        .map(|it| it.url.clone())
        .collect();
    assert_eq!(urls, ["https://hooks.test/mine"]);
}

#[tokio::test]
async fn only_what_the_operator_named_may_be_in_a_private_network() {
    for is_allowed in [false, true] {
        let carried = Arc::new(Carried::default());
        let own = vec!["http://10.0.0.1/own".parse().unwrap()];
        let notices = Notices::new(own, "key".into()).allow_private(is_allowed);
        let served = Served::telling(notices, carried.clone()).await;
        let task =
            json!({ "definition": { "yaml": TASK, "notify": ["http://10.0.0.1/of-a-task"] } });
        served
            .asks("PUT", "/api/v1/tasks/a", &[], task)
            .await
            .is(200);
        let run = served.posts("/api/v1/tasks/a/runs", json!({})).await;
        let run = run.is(201).json();
        served.ended(run["id"].as_str().unwrap()).await;
        served.settles().await;
        let parcels = carried.parcels.lock().unwrap();
        let mut private: Vec<(&str, bool)> = parcels
            .iter()
            .map(|it| (it.url.as_str(), it.allow_private))
            .collect();
        private.sort();
        let task = ("http://10.0.0.1/of-a-task", is_allowed);
        assert_eq!(private, [task, ("http://10.0.0.1/own", true)]);
    }
}

#[tokio::test]
async fn saved_manifests_are_applied_and_a_broken_one_leaves_its_task() {
    let served = Served::new().await;
    let folder = tempfile::tempdir().unwrap();
    let save = |text: &str| std::fs::write(folder.path().join("a.yaml"), text).unwrap();
    let priority = async |wanted: i64| {
        for _ in 0..500 {
            let task = served.gets("/api/v1/tasks/a").await.json();
            if task["definition"]["priority"] == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the priority never was {wanted}");
    };
    save("yaml: 'steps: []'\npriority: 1\n");
    let path = folder.path().to_path_buf();
    let watching = tokio::spawn(watch_specs(served.app.clone(), path, served.stop.clone()));
    priority(1).await;
    save("yaml: 'steps: []'\npriority: 2\n");
    priority(2).await;
    save("yaml: [");
    std::fs::write(folder.path().join("b.yaml"), "yaml: 'steps: []'\n").unwrap();
    for _ in 0..500 {
        if served.gets("/api/v1/tasks/b").await.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    served.gets("/api/v1/tasks/b").await.is(200);
    priority(2).await;
    served.stop.cancel();
    watching.await.unwrap();
}

//! Who may do what.

use careen::{ports::Role, server::Terms};
use serde_json::{Value, json};

use super::asked::{Served, TASK};

#[tokio::test]
async fn without_a_good_token_nothing_is_served_but_health() {
    let mut served = Served::on(Terms::default()).await;
    served.gets("/healthz").await.is(200);
    served.gets("/readyz").await.is(200);
    served.gets("/metrics").await.is(200);
    for path in [
        "/api/v1/runs",
        "/api/v1/tasks",
        "/api/v1/tokens",
        "/api/v1/audit",
    ] {
        let answer = served.gets(path).await.refuses(401, "token_missing");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    served.bears("careen_guessed");
    served
        .gets("/api/v1/runs")
        .await
        .refuses(401, "token_invalid");
}

#[tokio::test]
async fn an_open_server_serves_who_bears_no_token() {
    let terms = Terms {
        is_open: true,
        ..Terms::default()
    };
    let mut served = Served::on(terms).await;
    served.gets("/api/v1/tokens").await.is(200);
    served.bears("careen_guessed");
    served
        .gets("/api/v1/runs")
        .await
        .refuses(401, "token_invalid");
}

#[tokio::test]
async fn each_role_may_do_what_is_its_own_and_no_more() {
    let mut served = Served::new().await;
    let run = json!({ "text": TASK });
    let task = json!({ "definition": { "yaml": TASK } });
    let token = json!({ "name": "x", "role": "reader" });
    let asked: [(Role, &str, &str, &Value); 5] = [
        (Role::Reader, "GET", "/api/v1/runs", &Value::Null),
        (Role::Runner, "POST", "/api/v1/runs", &run),
        (Role::Editor, "PUT", "/api/v1/tasks/a", &task),
        (Role::Admin, "POST", "/api/v1/tokens", &token),
        (Role::Admin, "GET", "/api/v1/audit", &Value::Null),
    ];
    for role in Role::ALL {
        served.asks_as(role).await;
        for (needed, method, path, body) in &asked {
            let answer = served.asks(method, path, &[], (*body).clone()).await;
            if role >= *needed {
                assert!(answer.status.is_success(), "{role} {path}: {}", answer.text);
            } else {
                answer.refuses(403, "role_too_low");
            }
        }
    }
}

#[tokio::test]
async fn a_revoked_or_expired_token_is_refused_at_once() {
    let mut served = Served::new().await;
    let made = json!({ "name": "ci", "role": "runner" });
    let made = served.posts("/api/v1/tokens", made).await.is(201).json();
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    served.asks("DELETE", &path, &[], Value::Null).await.is(204);
    served
        .asks("DELETE", "/api/v1/tokens/none", &[], Value::Null)
        .await
        .refuses(400, "invalid_request");
    let past = json!({ "name": "old", "role": "runner", "expires_at": "2020-01-01T00:00:00Z" });
    let old = served.posts("/api/v1/tokens", past).await.is(201).json();
    for secret in [&made["secret"], &old["secret"]] {
        served.bears(secret.as_str().unwrap());
        served
            .gets("/api/v1/runs")
            .await
            .refuses(401, "token_invalid");
    }
}

#[tokio::test]
async fn the_audit_log_says_who_did_what_and_who_was_refused() {
    let mut served = Served::new().await;
    served.queues(TASK).await;
    served.gets("/api/v1/runs").await.is(200);
    served.asks_as(Role::Reader).await;
    served.gets("/api/v1/audit").await.is(403);
    served.asks_as(Role::Admin).await;
    let audit = served.gets("/api/v1/audit").await.is(200).json();
    let entries: Vec<String> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let who = it["who"].as_str().unwrap().split(' ').next().unwrap();
            format!("{who} {} {}", it["action"].as_str().unwrap(), it["status"])
        })
        .collect();
    let want = [
        "reader GET /api/v1/audit 403",
        "admin POST /api/v1/runs 201",
    ];
    assert_eq!(entries, want);
}

#[tokio::test]
async fn the_first_admin_token_is_made_once() {
    let served = Served::on(Terms::default()).await;
    assert!(served.app.first_token().await.unwrap().is_some());
    assert!(served.app.first_token().await.unwrap().is_none());
}

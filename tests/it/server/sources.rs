//! Who may deliver, set through the API.

use axum::{body::Body, http::Request};
use careen::ports::Role;
use serde_json::{Value, json};

use super::asked::{Answered, Served};
use crate::hooks::host::signature;

async fn ping(served: &Served, secret: &str) -> Answered {
    let body = b"{}".to_vec();
    let request = Request::post("/hooks")
        .header("x-github-event", "ping")
        .header("x-github-delivery", secret)
        .header("x-hub-signature-256", signature(secret, &body))
        .body(Body::from(body))
        .unwrap();
    Answered::of(served.sends(request).await).await
}

#[tokio::test]
async fn an_admin_sets_lists_and_removes_sources_and_no_secret_is_shown_again() {
    let mut served = Served::new().await;
    let path = "/api/v1/hooks/sources/hub";
    let put = async |served: &Served, body: Value| served.asks("PUT", path, &[], body).await;
    let drawn = put(&served, json!({ "provider": "github" })).await;
    let drawn = drawn.is(200).json()["secret"].as_str().unwrap().to_owned();
    ping(&served, &drawn).await.is(202);
    let given = json!({ "provider": "github", "secret": "given-by-us", "token": "a-token-77" });
    assert_eq!(put(&served, given).await.is(200).json(), json!({}));
    let listed = served.gets("/api/v1/hooks/sources").await.is(200);
    let hub = &listed.json()[0];
    assert_eq!(
        (&hub["name"], &hub["has_token"]),
        (&json!("hub"), &json!(true))
    );
    for secret in [drawn.as_str(), "given-by-us", "a-token-77"] {
        assert!(!listed.text.contains(secret), "{}", listed.text);
    }
    let short = json!({ "provider": "github", "secret": "short" });
    put(&served, short).await.is(400);
    served.asks_as(Role::Editor).await;
    put(&served, json!({ "provider": "github" }))
        .await
        .refuses(403, "role_too_low");
    served.gets("/api/v1/hooks/sources").await.is(200);
    served.asks_as(Role::Admin).await;
    let remove = async || served.asks("DELETE", path, &[], Value::Null).await;
    remove().await.is(204);
    remove().await.is(400);
    assert_eq!(served.gets("/api/v1/hooks/sources").await.json(), json!([]));
}

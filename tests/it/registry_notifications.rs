//! A real registry tells a server of a push, and the base image is looked at at once; who proves nothing is not heard.

use std::{net::TcpListener, sync::Arc, time::Duration};

use axum::http::StatusCode;
use careen::{
    app::{App, LookTerms, Lookout},
    ports::NewBase,
    server::{Api, Terms, router},
    triggers::Base,
};

use crate::{
    registries::{Server, write_image},
    server::asked::Served,
    world::World,
};

const SECRET: &str = "a secret of the registry";
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves a careen over HTTP and returns the address.
async fn listen(app: Arc<App>) -> String {
    let routes = router(Api::new(app, Terms::default()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}/hooks/registries/local")
}

async fn stand_on(app: &App, host: &str) {
    let repository = format!("{host}/base");
    let base = NewBase {
        base: Base {
            key: format!("{repository}:1"),
            is_runtime: true,
            stood_on: None,
        },
        repository,
        rule: None,
    };
    let learned = ("task", app.ports.clock.now());
    app.bases.put_bases("app", &[base], learned).await.unwrap();
}

#[tokio::test]
async fn a_push_to_a_real_registry_is_seen_at_once() {
    let world = World::new().await;
    let mut app = world.app();
    // The registry's host is known once it runs, and it must be told where to send before.
    let address = listen(Arc::new(world.app())).await;
    let Some(registry) = Server::start_telling(&address, SECRET) else {
        return;
    };
    let client = Arc::new(registry.client());
    app.ports.registry = client.clone();
    let app = Arc::new(app);
    app.set_secret("registry-hook-local", &SECRET.into())
        .await
        .unwrap();
    let at = registry.at("base");
    let old = write_image(&*client, (&at, "1"), &[b"old"]).await.unwrap();
    stand_on(&app, &registry.host).await;
    let lookout = Lookout::new(app.clone(), LookTerms::default());
    lookout.look().await.unwrap();
    let seen = async || app.bases.watches(None).await.unwrap().remove(0).seen;
    assert_eq!(seen().await, Some(old.digest));
    let new = write_image(&*client, (&at, "1"), &[b"new"]).await.unwrap();
    let begun = std::time::Instant::now();
    while seen().await != Some(new.digest.clone()) {
        assert!(begun.elapsed() < PATIENCE, "the registry's word never came");
        tokio::time::sleep(Duration::from_millis(20)).await;
        lookout.look().await.unwrap();
    }
    let told = app.bases.decisions(None, 9).await.unwrap();
    assert_eq!(told[0].how, "notification of local");
    assert_eq!(told[0].reason, "the task is gone");
}

#[tokio::test]
async fn only_who_proves_to_know_the_secret_is_heard() {
    let served = Served::new().await;
    served
        .app
        .set_secret("registry-hook-hub", &SECRET.into())
        .await
        .unwrap();
    let body = r#"{"push_data": {"tag": "1"}, "repository": {"repo_name": "octo/base"}}"#;
    stand_on(&served.app, "docker.io/octo").await;
    // printf BODY | openssl dgst -sha256 -hmac "a secret of the registry"
    let signature = "sha256=695d8f38bcdc0d4e8cbefae3b7acea29c7416472177635f31d35e8c5e6f95a12";
    let basic = "Basic eDphIHNlY3JldCBvZiB0aGUgcmVnaXN0cnk="; // x:a secret of the registry
    for (path, header, expected) in [
        ("hub", ("authorization", SECRET), StatusCode::ACCEPTED),
        (
            "hub",
            ("authorization", "Bearer a secret of the registry"),
            StatusCode::ACCEPTED,
        ),
        ("hub", ("authorization", basic), StatusCode::ACCEPTED),
        (
            "hub",
            ("x-hub-signature-256", signature),
            StatusCode::ACCEPTED,
        ),
        (
            "hub?token=a%20secret%20of%20the%20registry",
            ("x", "y"),
            StatusCode::ACCEPTED,
        ),
        (
            "hub",
            ("authorization", "a secret"),
            StatusCode::UNAUTHORIZED,
        ),
        (
            "hub",
            ("x-hub-signature-256", "sha256=00"),
            StatusCode::UNAUTHORIZED,
        ),
        ("hub?token=", ("x", "y"), StatusCode::UNAUTHORIZED),
        ("hub", ("x", "y"), StatusCode::UNAUTHORIZED),
        ("other", ("authorization", SECRET), StatusCode::UNAUTHORIZED),
    ] {
        let answered = served
            .is_told(&format!("/hooks/registries/{path}"), header, body)
            .await;
        assert_eq!(
            answered.status, expected,
            "{path} {header:?}: {}",
            answered.text
        );
        if expected == StatusCode::ACCEPTED {
            assert!(answered.text.contains("\"looks\":1"), "{}", answered.text);
        }
    }
    let header = ("authorization", SECRET);
    let refused = served.gets("/api/v1/hooks/rejected").await.is(200).json();
    assert_eq!(refused.as_array().map(Vec::len), Some(5), "{refused}");
    assert_eq!(refused[0]["bytes"], body.len());
    let why = "registry other: the notification does not prove that it knows the secret";
    assert_eq!(refused[0]["reason"], why);
    let large = "x".repeat((1 << 20) + 1);
    let answered = served.is_told("/hooks/registries/hub", header, &large);
    answered.await.refuses(413, "too_large");
    let answered = served.is_told("/hooks/registries/hub", header, "{").await;
    assert_eq!(answered.status, StatusCode::BAD_REQUEST);
    let large = "x".repeat(2 << 20);
    let answered = served
        .is_told("/hooks/registries/hub", header, &large)
        .await;
    assert_eq!(answered.status, StatusCode::PAYLOAD_TOO_LARGE);
}

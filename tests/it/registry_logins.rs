//! How registries are logged in to and waited for: tokens, redirects, Retry-After.

use std::time::{Duration, Instant};

use careen::{
    adapters::registry::{HttpRegistry, Terms},
    ports::{Manifest, Registry, RegistryError, Repository, Right},
};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{basic_auth, header, header_exists, method, path, query_param},
};

use crate::registries::logged_in;

fn client(longest_wait: Duration) -> HttpRegistry {
    HttpRegistry::new(Terms {
        first_wait: Duration::from_millis(1),
        longest_wait,
        ..Terms::default()
    })
}

fn quick() -> HttpRegistry {
    client(Duration::from_millis(20))
}

fn at(server: &MockServer) -> Repository {
    Repository {
        host: server.address().to_string(),
        path: "team/app".to_owned(),
        login: None,
    }
}

const MANIFEST: &str = "/v2/team/app/manifests/v1";

fn manifest() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_string("{}")
}

/// A registry that wants a token of itself, and gives one to alice.
async fn with_tokens(expected_tokens: u64) -> MockServer {
    let server = MockServer::start().await;
    let realm = format!("{}/token", server.uri());
    let challenge = format!(
        "Bearer realm=\"{realm}\",service=\"the registry\",scope=\"repository:team/app:pull\""
    );
    Mock::given(method("GET"))
        .and(path("/token"))
        .and(basic_auth("alice", "secret"))
        .and(query_param("service", "the registry"))
        .and(query_param("scope", "repository:team/app:pull"))
        .respond_with(
            ResponseTemplate::new(200).set_body_string(r#"{"token": "t1", "expires_in": 300}"#),
        )
        .expect(expected_tokens)
        .mount(&server)
        .await;
    Mock::given(path("/token"))
        .respond_with(ResponseTemplate::new(401).set_body_string(r#"{"details": "who are you"}"#))
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path(MANIFEST))
        .and(header("authorization", "Bearer t1"))
        .respond_with(manifest())
        .mount(&server)
        .await;
    let unauthorized =
        ResponseTemplate::new(401).insert_header("WWW-Authenticate", challenge.as_str());
    Mock::given(path(MANIFEST))
        .respond_with(unauthorized)
        .with_priority(9)
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_used_again() {
    let server = with_tokens(1).await;
    let registry = quick();
    let alice = logged_in(at(&server), "alice", "secret");
    for _ in 0..3 {
        registry.manifest(&alice, "v1").await.unwrap();
    }
}

#[tokio::test]
async fn a_token_of_one_user_is_not_used_for_another() {
    let server = with_tokens(1).await;
    let registry = quick();
    registry
        .manifest(&logged_in(at(&server), "alice", "secret"), "v1")
        .await
        .unwrap();
    let wrong = registry
        .manifest(&logged_in(at(&server), "alice", "guess"), "v1")
        .await
        .unwrap_err();
    let refused = RegistryError::LoginRefused {
        host: at(&server).host,
        username: "alice".to_owned(),
        reason: "who are you".to_owned(),
    };
    assert_eq!(wrong, refused);
    let nobody = registry.manifest(&at(&server), "v1").await.unwrap_err();
    assert!(
        matches!(nobody, RegistryError::NoLogin { .. }),
        "{nobody:?}"
    );
}

#[tokio::test]
async fn a_token_that_is_no_longer_taken_is_replaced() {
    let server = with_tokens(2).await;
    let registry = quick();
    let alice = logged_in(at(&server), "alice", "secret");
    registry.manifest(&alice, "v1").await.unwrap();
    let challenge = format!(
        "Bearer realm=\"{}/token\",service=\"the registry\"",
        server.uri()
    );
    let unauthorized =
        ResponseTemplate::new(401).insert_header("WWW-Authenticate", challenge.as_str());
    Mock::given(path(MANIFEST))
        .respond_with(unauthorized)
        .up_to_n_times(1)
        .with_priority(1)
        .mount(&server)
        .await;
    registry.manifest(&alice, "v1").await.unwrap();
}

#[tokio::test]
async fn a_token_that_does_not_help_means_that_the_right_is_missing() {
    let server = MockServer::start().await;
    let challenge = format!("Bearer realm=\"{}/token\"", server.uri());
    Mock::given(path("/token"))
        .respond_with(ResponseTemplate::new(200).set_body_string(r#"{"access_token": "weak"}"#))
        .mount(&server)
        .await;
    let unauthorized =
        ResponseTemplate::new(401).insert_header("WWW-Authenticate", challenge.as_str());
    Mock::given(method("PUT"))
        .respond_with(unauthorized)
        .mount(&server)
        .await;
    let alice = logged_in(at(&server), "alice", "secret");
    let error = quick()
        .put_manifest(&alice, "v1", &Manifest::new("m", "{}"))
        .await
        .unwrap_err();
    let is_push = matches!(&error, RegistryError::Denied { right: Right::Push, username: Some(name), .. } if name == "alice");
    assert!(is_push, "{error:?}");
    assert!(
        error
            .hint()
            .contains("Have alice given the push right on team/app"),
        "{}",
        error.hint()
    );
}

#[tokio::test]
async fn the_password_goes_to_no_other_host() {
    let (server, storage) = (MockServer::start().await, MockServer::start().await);
    let digest = careen::ports::sha256(b"bytes");
    let blob = format!("/v2/team/app/blobs/{digest}");
    let away = format!("{}/stored", storage.uri());
    Mock::given(path(&blob))
        .and(header_exists("authorization"))
        .respond_with(ResponseTemplate::new(307).insert_header("Location", away.as_str()))
        .mount(&server)
        .await;
    let basic = ResponseTemplate::new(401).insert_header("WWW-Authenticate", "Basic realm=\"r\"");
    Mock::given(path(&blob))
        .respond_with(basic)
        .with_priority(9)
        .mount(&server)
        .await;
    let is_bare = |request: &Request| !request.headers.contains_key("authorization");
    Mock::given(path("/stored"))
        .and(is_bare)
        .respond_with(ResponseTemplate::new(200).set_body_bytes(&b"bytes"[..]))
        .expect(1)
        .mount(&storage)
        .await;
    use futures_util::TryStreamExt;
    let alice = logged_in(at(&server), "alice", "secret");
    let stream = quick().blob(&alice, &digest).await.unwrap();
    let pieces: Vec<_> = stream.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), b"bytes");
}

#[tokio::test]
async fn a_registry_is_waited_for_as_long_as_it_asks_within_reason() {
    for (asked, longest, least, most) in [("1", 60_000, 1_000, 30_000), ("3600", 50, 0, 30_000)] {
        let server = MockServer::start().await;
        let busy = ResponseTemplate::new(429).insert_header("Retry-After", asked);
        Mock::given(path(MANIFEST))
            .respond_with(busy)
            .up_to_n_times(1)
            .with_priority(1)
            .mount(&server)
            .await;
        Mock::given(path(MANIFEST))
            .respond_with(manifest())
            .mount(&server)
            .await;
        let begun = Instant::now();
        client(Duration::from_millis(longest))
            .manifest(&at(&server), "v1")
            .await
            .unwrap();
        let took = begun.elapsed().as_millis();
        assert!((least..most).contains(&took), "{asked}: {took} ms");
    }
}

#[tokio::test]
async fn a_registry_that_stays_out_of_order_is_given_up() {
    let server = MockServer::start().await;
    let broken = ResponseTemplate::new(503).insert_header("Retry-After", "0");
    Mock::given(path(MANIFEST))
        .respond_with(broken)
        .expect(5)
        .mount(&server)
        .await;
    let error = quick().manifest(&at(&server), "v1").await.unwrap_err();
    assert!(matches!(error, RegistryError::Busy { .. }), "{error:?}");
}

#[tokio::test]
async fn bytes_that_are_not_what_their_digest_says_are_refused() {
    let server = MockServer::start().await;
    let digest = careen::ports::sha256(b"right");
    Mock::given(path(format!("/v2/team/app/manifests/{digest}")))
        .respond_with(ResponseTemplate::new(200).set_body_string("wrong"))
        .mount(&server)
        .await;
    let error = quick().manifest(&at(&server), &digest).await.unwrap_err();
    assert!(matches!(error, RegistryError::Corrupt { .. }), "{error:?}");
}

//! A network whose ends the engine has forgotten to let go of can be removed all the same.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use careen::{
    adapters::docker::DockerEngine,
    ports::{Containers, EngineError},
};
use serde_json::{Value, json};

/// The ends in the only network of a stand-in for an engine, each with whether its container is still there.
#[derive(Default)]
struct Ends(Vec<(&'static str, bool)>);

type Shared = Arc<Mutex<Ends>>;

/// Answers as engine 20.10 does.
async fn answer(State(ends): State<Shared>, method: Method, uri: Uri, body: Bytes) -> Response {
    let ends = &mut ends.lock().unwrap().0;
    let path = uri
        .path()
        .split_once("/v1.41")
        .map_or(uri.path(), |it| it.1);
    let said =
        |status: StatusCode, text: &str| (status, Json(json!({"message": text}))).into_response();
    match (method.as_str(), path) {
        (_, "/_ping") => ([("api-version", "1.41")], "OK").into_response(),
        ("GET", "/networks/net") => {
            let ends = ends
                .iter()
                .map(|(name, _)| (format!("ep-{name}"), json!({"Name": name})));
            let ends: serde_json::Map<String, Value> = ends.collect();
            Json(json!({"Name": "net", "Containers": ends})).into_response()
        }
        ("DELETE", "/networks/net") if ends.is_empty() => StatusCode::NO_CONTENT.into_response(),
        ("DELETE", "/networks/net") => said(
            StatusCode::FORBIDDEN,
            "error while removing network: network net id 5f has active endpoints",
        ),
        ("POST", "/networks/net/disconnect") => {
            let asked: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(asked["Force"], true);
            ends.retain(|(name, _)| asked["Container"] != **name);
            StatusCode::OK.into_response()
        }
        ("GET", inspected) => {
            let is_there = |(name, is_there): &(&str, bool)| {
                *is_there && inspected == format!("/containers/{name}/json")
            };
            match ends.iter().find(|it| is_there(it)) {
                Some((name, _)) => {
                    Json(json!({"Id": name, "Name": name, "State": {"Status": "running"}}))
                        .into_response()
                }
                None => said(StatusCode::NOT_FOUND, "No such container"),
            }
        }
        other => said(StatusCode::NOT_IMPLEMENTED, &format!("{other:?}")),
    }
}

/// Asks for the removal of a network with these ends, and returns the answer and the ends left.
async fn remove(ends: &[(&'static str, bool)]) -> (Result<(), EngineError>, Vec<&'static str>) {
    let shared = Shared::new(Mutex::new(Ends(ends.to_vec())));
    let routes = Router::new().fallback(answer).with_state(shared.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
    let engine = DockerEngine::connect(Some(&address)).unwrap();
    let removed = engine.remove_network("net").await;
    serving.abort();
    let left = shared.lock().unwrap().0.iter().map(|it| it.0).collect();
    (removed, left)
}

#[tokio::test]
async fn an_end_whose_container_is_gone_is_taken_out_of_its_network() {
    assert_eq!(remove(&[]).await, (Ok(()), vec![]));
    assert_eq!(
        remove(&[("one", false), ("two", false)]).await,
        (Ok(()), vec![])
    );
}

#[tokio::test]
async fn an_end_whose_container_is_there_keeps_its_network() {
    let (removed, left) = remove(&[("gone", false), ("here", true)]).await;
    assert!(matches!(removed, Err(EngineError::InUse(_))), "{removed:?}");
    assert_eq!(left, ["here"]);
}

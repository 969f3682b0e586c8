//! Spans reach a collector where one is named, and bear the ids of run and step and nothing secret.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};

use crate::{careens::Careen, cli::sh};

/// What a collector was sent.
type Sent = Arc<Mutex<Vec<(String, Bytes)>>>;

async fn take(State(sent): State<Sent>, headers: HeaderMap, body: Bytes) {
    let kind = headers["content-type"].to_str().unwrap().to_owned();
    sent.lock().unwrap().push((kind, body));
}

/// A collector, as long as its runtime lives.
fn collector() -> (tokio::runtime::Runtime, String, Sent) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sent = Sent::default();
    let routes = Router::new().route("/v1/traces", post(take));
    let routes = routes.with_state(sent.clone());
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
    let listener = listener.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(async move { axum::serve(listener, routes).await });
    (runtime, address, sent)
}

fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|it| it == text.as_bytes())
}

#[test]
fn a_collector_that_is_named_gets_the_spans_of_a_run_and_its_steps() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    let (_runtime, address, sent) = collector();
    careen.steps(&sh("compile", "echo {{.Values.word}}", ""));
    let secret = ["--set-secret", "word=hidden-word-77"];
    careen.run(&["--set", "word=plain"]).exits(0);
    assert!(sent.lock().unwrap().is_empty(), "off unless it is set");
    careen.set("CAREEN_OTLP_ENDPOINT", &address);
    let ran = careen.run(&secret);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let id = careen.latest()["id"].as_str().unwrap().to_owned();
    let sent = sent.lock().unwrap();
    let bodies: Vec<u8> = sent.iter().flat_map(|it| it.1.to_vec()).collect();
    assert!(sent.iter().all(|it| it.0 == "application/x-protobuf"));
    for text in ["careen", "run", "step", "compile", &id] {
        assert!(holds(&bodies, text), "no {text} in {} bytes", bodies.len());
    }
    assert!(!holds(&bodies, "hidden-word-77"));
}

#[test]
fn a_collector_that_is_away_holds_no_run_up_and_an_odd_address_is_refused() {
    let mut careen = Careen::new();
    careen.set("CAREEN_OTLP_ENDPOINT", "http://127.0.0.1:9");
    let began = std::time::Instant::now();
    careen.does(&["runs", "list"]).exits(0);
    assert!(began.elapsed().as_secs() < 15);
    careen.set("CAREEN_OTLP_ENDPOINT", "collector:4318");
    careen
        .does(&["runs", "list"])
        .exits(2)
        .says(&["CAREEN_OTLP_ENDPOINT"]);
    careen.set("CAREEN_OTLP_ENDPOINT", "");
    careen.set("CAREEN_LOG_FORMAT", "xml");
    careen
        .does(&["runs", "list"])
        .exits(2)
        .says(&["CAREEN_LOG_FORMAT", "text or json"]);
}

//! A run that began anew: readers are told which generation each line is of, and lose none.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use careen::{
    app::{Secrets, Worker, WorkerTerms},
    logs::{Logs, Masker},
    ports::{Claim, Lease, LogKey, Output, Placement, Role, Stream},
};
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{
    asked::Served,
    pages::visitor::Visitor,
    streams::{Message, follows, messages},
};
use crate::{every_store::ample, world};

const TEXT: &str =
    "steps:\n  - id: one\n    cmd: busybox echo\n    env: [\"FAKE_OUTPUT=a\\nb\\nc\\n\"]\n";

/// Runs a task whose first worker was lost after two lines, on a node whose clock was an hour ahead.
async fn begun_anew(served: &Served) -> String {
    let (run, lease) = lost_half_way(served).await;
    begins_anew(served, &lease).await;
    run
}

/// A run that was claimed and has said two lines.
async fn lost_half_way(served: &Served) -> (String, Lease) {
    let app = &served.app;
    let place = Placement {
        pool: "lonely".to_owned(),
        ..Placement::default()
    };
    let (request, secrets) = (world::request(app, TEXT), Secrets::default());
    let queued = app.enqueue(request, &secrets, &place, "a test");
    let run = queued.await.expect("queued").0;
    let claim = Claim {
        worker: "lost".to_owned(),
        engine: "gone".to_owned(),
        pool: "lonely".to_owned(),
        time: Duration::from_secs(60),
        left: ample(),
        homes: Vec::new(),
    };
    let claimed = app.queue.claim(&claim).await.expect("an answer");
    let key = LogKey {
        run: run.clone(),
        generation: 1,
        step: 0,
        attempt: 1,
    };
    let masker = Arc::new(Masker::new([""; 0]));
    let mut writer = Logs::new(app.ports.frames.clone())
        .writer(key, masker)
        .await
        .expect("a log");
    let ahead = chrono::Utc::now() + chrono::TimeDelta::hours(1);
    let said = Output {
        stream: Stream::Stdout,
        at_nanos: ahead.timestamp_nanos_opt().expect("a time"),
        bytes: Bytes::from_static(b"a\nb\n"),
    };
    writer.write(&said).await.expect("written");
    writer.finish().await.expect("finished");
    (run, claimed.expect("a run").lease)
}

/// Lets it begin anew with another worker, and end.
async fn begins_anew(served: &Served, lease: &Lease) {
    let app = &served.app;
    app.queue.requeue(lease).await.expect("it begins anew");
    let terms = WorkerTerms {
        pool: "lonely".to_owned(),
        ..WorkerTerms::named("next")
    };
    let stop = CancellationToken::new();
    let worker = Worker::new(app.clone(), terms).await.expect("a worker");
    let working = tokio::spawn(worker.work(stop.clone()));
    assert_eq!(served.ended(&lease.run).await["generation"], 2);
    stop.cancel();
    working.await.expect("no panic").expect("no trouble");
}

#[tokio::test]
async fn the_lines_of_both_generations_are_read_one_after_the_other_each_with_its_number() {
    let served = Served::new().await;
    let run = begun_anew(&served).await;
    let read = async |query: &str| {
        let path = format!("/api/v1/runs/{run}/logs{query}");
        let page = served.gets(&path).await.is(200).json();
        let lines = page["lines"].as_array().cloned().unwrap_or_default();
        let told = lines
            .iter()
            .map(|it| format!("{}{}", it["generation"], it["text"].as_str().unwrap()));
        told.collect::<Vec<_>>()
    };
    assert_eq!(read("").await, ["1a", "1b", "2a", "2b", "2c"]);
    assert_eq!(read("?generation=1").await, ["1a", "1b"]);
    assert_eq!(read("?generation=2&from=3").await, ["2c"]);
    let bytes = async |query: &str| {
        let path = format!("/api/v1/runs/{run}/logs/one/1{query}");
        served.gets(&path).await.is(200).text
    };
    assert_eq!(bytes("?generation=1").await, "a\nb\n");
    assert_eq!(bytes("").await.trim_end(), "a\nb\nc");
}

#[tokio::test]
async fn a_follower_hears_that_the_run_began_anew_before_what_happened_then() {
    let served = Served::new().await;
    let run = begun_anew(&served).await;
    let messages = follows(&served, &run, None).await;
    let first = |kind: &str| messages.iter().position(|it| it.kind == kind).expect(kind);
    assert!(first("log") < first("run"), "lines come first");
    assert!(first("run") < first("events"), "{messages:?}");
    assert_eq!(messages[first("run")].body["generation"], 2);
    assert_eq!(messages[first("events")].body["generation"], 2);
}

#[tokio::test]
async fn the_page_of_a_run_that_began_anew_leads_to_what_the_lost_worker_wrote() {
    let mut visitor = Visitor::signed_in(Role::Reader).await;
    let cookie = std::mem::take(&mut visitor.cookie);
    visitor.served.asks_as(Role::Runner).await;
    let run = begun_anew(&visitor.served).await;
    visitor.cookie = cookie;
    let page = visitor.visits(&format!("/runs/{run}")).await.is(200).text;
    let link = format!("/runs/{run}/log/0/1?generation=1");
    assert!(page.contains(&link), "{page}");
    assert!(page.contains("2 lines; its worker was lost"), "{page}");
    let log = visitor.visits(&link).await.is(200).text;
    assert!(
        log.contains("of generation 1, whose worker was lost"),
        "{log}"
    );
    assert_eq!(log.matches("class=\"line").count(), 2, "{log}");
    let raw = format!("/runs/{run}/raw/0/1");
    let earlier = visitor.visits(&format!("{raw}?generation=1")).await.is(200);
    assert_eq!(earlier.text, "a\nb\n");
    let present = visitor.visits(&raw).await.is(200).text;
    assert_eq!(present.trim_end(), "a\nb\nc");
}

/// How long a stream may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads on until the stream has said a text, or to its end.
async fn read_on(
    body: &mut (impl StreamExt<Item = Result<Bytes, axum::Error>> + Unpin),
    until: Option<&str>,
) -> String {
    let mut said = String::new();
    while !until.is_some_and(|text| said.contains(text)) {
        let piece = tokio::time::timeout(PATIENCE, body.next()).await;
        let Some(piece) = piece.expect("it says something") else {
            break;
        };
        said.push_str(&String::from_utf8_lossy(&piece.expect("a piece")));
    }
    said
}

/// The lines of messages, each behind its generation.
fn lines(messages: &[Message]) -> Vec<String> {
    let of = |it: &Message| it.body["lines"].as_array().cloned().unwrap_or_default();
    let lines = messages.iter().flat_map(of);
    let line = |it: serde_json::Value| {
        format!(
            "{}{}",
            it["generation"],
            it["text"].as_str().unwrap_or_default()
        )
    };
    lines.map(line).collect()
}

#[tokio::test]
async fn who_follows_a_run_while_it_begins_anew_goes_on_with_the_next_generation() {
    let served = Served::new().await;
    let (run, lease) = lost_half_way(&served).await;
    let path = format!("/api/v1/runs/{run}/stream");
    let request = axum::http::Request::get(path).body(Body::empty());
    let response = served.sends(request.expect("a request")).await;
    let mut body = response.into_body().into_data_stream();
    let before = read_on(&mut body, Some("\"text\":\"b\"")).await;
    let (rest, ()) = tokio::join!(read_on(&mut body, None), begins_anew(&served, &lease));
    let all = messages(&(before + &rest));
    assert_eq!(lines(&all), ["1a", "1b", "2a", "2b", "2c"]);
    let of_generation = |kind: &str, generation: u32| {
        let is_it = |it: &Message| it.kind == kind && it.body["generation"] == generation;
        all.iter().position(is_it)
    };
    let (told, first) = (of_generation("run", 2), of_generation("events", 2));
    assert!(told.is_some() && told < first, "{all:?}");
    let events = all.iter().filter(|it| it.kind == "events");
    let kinds: Vec<_> = events
        .flat_map(|it| it.body["events"].as_array().cloned().unwrap_or_default())
        .map(|it| it["kind"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(kinds.first().map(String::as_str), Some("begun"));
    assert_eq!(kinds.last().map(String::as_str), Some("tidied"));
    assert_eq!(all.last().map(|it| it.kind.as_str()), Some("end"));
}

#[tokio::test]
async fn a_page_that_is_open_while_a_run_begins_anew_keeps_what_it_shows_and_gets_the_next_log() {
    let mut visitor = Visitor::signed_in(Role::Reader).await;
    let cookie = std::mem::take(&mut visitor.cookie);
    visitor.served.asks_as(Role::Runner).await;
    let (run, lease) = lost_half_way(&visitor.served).await;
    let request = axum::http::Request::get(format!("/live/runs/{run}")).header("cookie", &cookie);
    let request = request.body(Body::empty()).expect("a request");
    let response = visitor.served.sends(request).await;
    assert_eq!(response.status(), 200);
    let mut body = response.into_body().into_data_stream();
    let before = read_on(&mut body, Some("\"logs\":[[\"1/0/1\",2]]")).await;
    assert!(!before.contains("began anew"), "{before}");
    let (rest, ()) = tokio::join!(
        read_on(&mut body, None),
        begins_anew(&visitor.served, &lease)
    );
    for part in [
        "2 lines; its worker was lost",
        "\"id\":\"log-2-0-1\"",
        "[\"2/0/1\",3]",
        "\"is_last\":true",
    ] {
        assert!(rest.contains(part), "no {part} in {rest}");
    }
    assert!(
        !rest.contains("\"log-1-0-1\""),
        "what is read stays: {rest}"
    );
    visitor.cookie = cookie;
    for (generation, count) in [(1, 2), (2, 3)] {
        let path = format!("/runs/{run}/lines/0/1?generation={generation}&from=1&count=9");
        let window = visitor.visits(&path).await.is(200).json();
        assert_eq!(
            window["lines"].as_array().map(Vec::len),
            Some(count),
            "{window}"
        );
        let path = format!("/runs/{run}/find/0/1?generation={generation}&text=c");
        let found = visitor.visits(&path).await.is(200).json();
        assert_eq!(found["line"].is_null(), generation == 1, "{found}");
    }
}

//! A run that began anew: readers are told which generation each line is of, and lose none.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use careen::{
    app::{Secrets, Worker, WorkerTerms},
    logs::{Logs, Masker},
    ports::{Claim, LogKey, Output, Placement, Role, Stream},
};
use tokio_util::sync::CancellationToken;

use super::{asked::Served, pages::visitor::Visitor, streams::follows};
use crate::{every_store::ample, world};

const TEXT: &str =
    "steps:\n  - id: one\n    cmd: busybox echo\n    env: [\"FAKE_OUTPUT=a\\nb\\nc\\n\"]\n";

/// Runs a task whose first worker was lost after two lines, on a node whose clock was an hour ahead.
async fn begun_anew(served: &Served) -> String {
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
    let lease = claimed.expect("a run").lease;
    app.queue.requeue(&lease).await.expect("it begins anew");
    let terms = WorkerTerms {
        pool: "lonely".to_owned(),
        ..WorkerTerms::named("next")
    };
    let stop = CancellationToken::new();
    let worker = Worker::new(app.clone(), terms).await.expect("a worker");
    let working = tokio::spawn(worker.work(stop.clone()));
    assert_eq!(served.ended(&run).await["generation"], 2);
    stop.cancel();
    working.await.expect("no panic").expect("no trouble");
    run
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

//! Following a run, and reading its stored log.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use axum::{body::Body, http::Request};
use bytes::Bytes;
use careen::ports::{Frame, FrameIndex, FrameStore, LogKey, LogSummary, StoreError};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::asked::Served;

/// Says three lines and ends.
const LINES: &str = "version: v1.1.0\nsteps:\n  - id: one\n    cmd: busybox echo\n    env: [\"FAKE_OUTPUT=a\\nb\\nc\\n\"]\n";

/// A message of a stream: its kind, id and body.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub kind: String,
    pub id: String,
    pub body: Value,
}

/// Reads a stream to its end, after the message of an id.
pub async fn follows(served: &Served, run: &str, after: Option<&str>) -> Vec<Message> {
    let mut request = Request::get(format!("/api/v1/runs/{run}/stream"));
    if let Some(id) = after {
        request = request.header("last-event-id", id);
    }
    let response = served.sends(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), 200);
    let mut text = String::new();
    let mut body = response.into_body().into_data_stream();
    while let Some(piece) = body.next().await {
        text.push_str(&String::from_utf8_lossy(&piece.unwrap()));
    }
    messages(&text)
}

/// The messages of what a stream has said.
pub fn messages(text: &str) -> Vec<Message> {
    text.split("\n\n").filter_map(message).collect()
}

fn message(text: &str) -> Option<Message> {
    let field = |name: &str| {
        let start = format!("{name}: ");
        let line = text.lines().find_map(|line| line.strip_prefix(&start));
        line.map(str::to_owned)
    };
    Some(Message {
        kind: field("event")?,
        id: field("id")?,
        body: serde_json::from_str(&field("data")?).ok()?,
    })
}

/// The texts of all lines, and the kinds of all events.
fn told(messages: &[Message]) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut events) = (Vec::new(), Vec::new());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for message in messages {
        let of = |name: &str| message.body[name].as_array().cloned().unwrap_or_default();
        lines.extend(of("lines").iter().map(|it| text(&it["text"])));
        events.extend(of("events").iter().map(|it| text(&it["kind"])));
    }
    (lines, events)
}

#[tokio::test]
async fn a_follower_is_told_every_line_and_event_once_and_the_end_last() {
    let served = Served::new().await;
    let id = served.queues(LINES).await;
    let messages = follows(&served, &id, None).await;
    let (lines, events) = told(&messages);
    let run = served.ended(&id).await;
    assert_eq!(run["status"], "succeeded");
    assert_eq!(lines, ["a", "b", "c"]);
    assert_eq!(events.first().map(String::as_str), Some("begun"));
    assert_eq!(events.last().map(String::as_str), Some("tidied"));
    let last = messages.last().unwrap();
    assert_eq!(
        (last.kind.as_str(), &last.body["status"]),
        ("end", &json!("succeeded"))
    );
}

#[tokio::test]
async fn who_comes_back_is_told_what_was_missed_and_nothing_twice() {
    let served = Served::new().await;
    let id = served.queues(LINES).await;
    served.ended(&id).await;
    let messages = follows(&served, &id, None).await;
    let whole = told(&messages);
    for read in 1..messages.len() {
        let rest = follows(&served, &id, Some(&messages[read - 1].id)).await;
        let (mut lines, mut events) = told(&messages[..read]);
        let (more_lines, more_events) = told(&rest);
        lines.extend(more_lines);
        events.extend(more_events);
        assert_eq!((lines, events), whole, "after message {read}");
    }
    let request = Request::get(format!("/api/v1/runs/{id}/stream")).header("last-event-id", "soon");
    let refused = served.sends(request.body(Body::empty()).unwrap()).await;
    assert_eq!(refused.status(), 400);
}

#[tokio::test]
async fn many_followers_are_all_told_everything() {
    let served = Served::new().await;
    let id = served.queues(LINES).await;
    let followers = (0..50).map(|_| follows(&served, &id, None));
    for messages in futures_util::future::join_all(followers).await {
        assert_eq!(told(&messages).0, ["a", "b", "c"]);
    }
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let served = Served::new().await;
    let id = served.queues(LINES).await;
    served.stop.cancel();
    assert_eq!(follows(&served, &id, None).await, []);
}

#[tokio::test]
async fn a_stored_log_is_read_by_line_and_by_byte() {
    let served = Served::new().await;
    let id = served.queues(LINES).await;
    served.ended(&id).await;
    let texts = async |query: &str| {
        let page = served
            .gets(&format!("/api/v1/runs/{id}/logs{query}"))
            .await
            .is(200);
        let page = page.json();
        let lines = page["lines"].as_array().unwrap();
        let texts: Vec<String> = lines.iter().map(|it| it["text"].to_string()).collect();
        (texts.join(""), page["complete"] == true)
    };
    assert_eq!(texts("").await, ("\"a\"\"b\"\"c\"".to_owned(), true));
    assert_eq!(texts("?limit=2").await, ("\"a\"\"b\"".to_owned(), false));
    assert_eq!(texts("?from=3").await, ("\"c\"".to_owned(), true));
    assert_eq!(texts("?tail=2").await, ("\"b\"\"c\"".to_owned(), true));
    let missing = served
        .gets(&format!("/api/v1/runs/{id}/logs?step=two"))
        .await;
    missing.refuses(400, "invalid_request");
    let raw = format!("/api/v1/runs/{id}/logs/one/1");
    let whole = served.gets(&raw).await.is(200).text;
    assert_eq!(whole.trim_end(), "a\nb\nc");
    let part = served
        .asks("GET", &raw, &[("range", "bytes=2-3")], Value::Null)
        .await
        .is(206);
    assert_eq!(
        (part.text.as_str(), part.header("content-range")),
        ("b\n", "bytes 2-3/*")
    );
    let rest = served
        .asks("GET", &raw, &[("range", "bytes=4-")], Value::Null)
        .await
        .is(206);
    assert_eq!(rest.text, whole[4..]);
    served
        .asks("GET", &raw, &[("range", "bytes=99-")], Value::Null)
        .await
        .refuses(416, "range_too_far");
    served
        .gets(&format!("/api/v1/runs/{id}/logs/two/1"))
        .await
        .refuses(404, "no_such_step");
}

/// Counts how often each frame is read.
struct Counting {
    inner: Arc<dyn FrameStore>,
    reads: Arc<Mutex<HashMap<(LogKey, u64), usize>>>,
}

#[async_trait]
impl FrameStore for Counting {
    async fn append(&self, frames: Vec<(LogKey, Frame)>) -> Result<(), StoreError> {
        self.inner.append(frames).await
    }

    async fn index(
        &self,
        key: &LogKey,
        first_line: u64,
        limit: u32,
    ) -> Result<Vec<FrameIndex>, StoreError> {
        self.inner.index(key, first_line, limit).await
    }

    async fn read(&self, key: &LogKey, frame: &FrameIndex) -> Result<Bytes, StoreError> {
        let asked = (key.clone(), frame.first_line);
        *self.reads.lock().unwrap().entry(asked).or_default() += 1;
        self.inner.read(key, frame).await
    }

    async fn last(&self, key: &LogKey) -> Result<Option<FrameIndex>, StoreError> {
        self.inner.last(key).await
    }

    async fn logs(&self, run: &str) -> Result<Vec<LogSummary>, StoreError> {
        self.inner.logs(run).await
    }

    async fn remove(&self, run: &str) -> Result<(), StoreError> {
        self.inner.remove(run).await
    }

    fn changes(&self, run: &str) -> watch::Receiver<u64> {
        self.inner.changes(run)
    }
}

#[tokio::test]
async fn a_thousand_who_follow_one_log_cost_one_read_of_it() {
    let reads: Arc<Mutex<HashMap<(LogKey, u64), usize>>> = Arc::default();
    let counted = reads.clone();
    let served = Served::reading(|inner| {
        Arc::new(Counting {
            inner,
            reads: counted,
        })
    });
    let served = served.await;
    let lines = "a\\nb\\nc\\n";
    let text = format!(
        "steps:\n  - id: one\n    cmd: busybox x\n    env: [\"FAKE_OUTPUT={lines}\", FAKE_SLEEP_MS=1500]\n"
    );
    let id = served.queues(&text).await;
    let followers = (0..1000).map(|_| follows(&served, &id, None));
    let followed = futures_util::future::join_all(followers).await;
    for messages in &followed {
        assert_eq!(told(messages).0, ["a", "b", "c"]);
    }
    let reads = reads.lock().unwrap();
    let once: Vec<usize> = reads.values().copied().collect();
    assert!(!once.is_empty());
    assert_eq!(once, vec![1; reads.len()], "each frame");
}

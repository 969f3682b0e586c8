//! All the stores there are, for claims that each of them must keep.

use careen::{
    adapters::{memory::store::MemoryStore, sqlite::SqliteStore},
    ports::{NewRun, Queue, RunStore},
};
use chrono::{DateTime, Utc};
use serde_json::json;

/// A store of runs with its queues.
pub trait Store: RunStore + Queue {}

impl<T: RunStore + Queue> Store for T {}

/// Checks a claim on each store.
pub async fn on_every_store(claim: impl AsyncFn(&dyn Store)) {
    claim(&MemoryStore::new("memory")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("careen/careen.db");
    claim(&SqliteStore::open(&path).await.unwrap()).await;
}

/// A moment, with nanoseconds that stores must keep.
pub fn time(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + second, 123_456_000).unwrap()
}

/// A run with all that is hard to store in its request.
pub fn new_run(id: &str) -> NewRun {
    NewRun {
        id: id.to_owned(),
        name: "acb.yaml".to_owned(),
        cause: "started by hand".to_owned(),
        request: json!({"file": "steps: []", "values": {"ü": [1, 2.5, null, {"a": "\u{1}\"'"}]}}),
        secrets: Vec::new(),
        rerun_of: None,
        created_at: time(0),
    }
}

//! Runs over a real object store: contexts and logs go there from one process, come back in another, and go.

use base64::{Engine, prelude::BASE64_STANDARD};
use careen::ports::{KeptObject, Objects};

use super::{
    content,
    emulators::{KINDS, Store},
};
use crate::{careens::Careen, cli::sh, every_store, remote::Served};

/// A key that all processes share.
const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// Lines that do not compress well: a context and a log of many parts.
fn long_text() -> String {
    let text = BASE64_STANDARD.encode(content(6_000_000));
    let lines: Vec<&str> = text.as_bytes().chunks(76).map(ascii).collect();
    lines.join("\n") + "\n"
}

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("base64")
}

/// A careen with files of its own, whose secrets lie in files.
fn careen_over(store: &Store, database: &str) -> Careen {
    let mut careen = Careen::new();
    for (name, value) in store.secrets() {
        let file = careen.path(&name);
        std::fs::write(&file, value + "\n").expect("written");
        careen.set(&format!("{name}_FILE"), &file.to_string_lossy());
    }
    for (name, value) in store.settings() {
        careen.set(&name, &value);
    }
    careen.set("CAREEN_OBJECTS", &store.address());
    careen.set("CAREEN_DB", database);
    careen.set("CAREEN_KEY", KEY);
    careen
}

/// All that is kept, by key.
async fn kept(store: &Store) -> Vec<(String, u64)> {
    let listed: Vec<KeptObject> = store.objects().list("").await.expect("a list");
    let mut kept: Vec<_> = listed.into_iter().map(|it| (it.key, it.bytes)).collect();
    kept.sort();
    kept
}

fn count(kept: &[(String, u64)], of: &str) -> usize {
    kept.iter().filter(|(key, _)| key.starts_with(of)).count()
}

#[test]
fn contexts_and_logs_go_from_machine_to_machine_over_a_real_store() {
    if Careen::on_docker().is_none() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for kind in KINDS {
        runtime.block_on(async {
            let Some(store) = Store::strict(kind).await else {
                return;
            };
            every_store::on_postgres_at(async |database| {
                go_round(&store, &database).await;
            })
            .await;
        });
    }
}

async fn go_round(store: &Store, database: &str) {
    let text = long_text();
    let worker = careen_over(store, database);
    let _worker = worker.start(&["worker", "--name", "elsewhere"]);
    let served = Served::new(careen_over(store, database), &["--no-worker"]);
    served.client.file("data", &text);
    served.client.steps(&sh("print", "cat data", ""));
    served.client.does(&["run", ".", "--quiet"]).exits(0);
    let is_read_back = async || reads_back(&served, &text).await;
    is_read_back().await;

    let before = kept(store).await;
    assert_eq!(count(&before, "contexts/"), 1, "{before:?}");
    assert!(count(&before, "logs/") > 5, "{before:?}");

    // A backup holds them, and brings them back where they are missing.
    let server = &served.server;
    let file = server.path("careen.backup");
    let file = file.to_str().expect("UTF-8");
    server.does(&["backup", file]).exits(0);
    for (key, _) in &before {
        store.objects().delete(key).await.expect("deleted");
    }
    assert_eq!(kept(store).await, []);
    server.does(&["restore", file, "--yes"]).exits(0);
    assert_eq!(kept(store).await, before);
    is_read_back().await;

    forgets_all(store, database).await;
    assert_eq!(worker.json(&["sweep"])["removed"], 0);
}

/// The log is there by line and by byte.
async fn reads_back(served: &Served, text: &str) {
    let lines: Vec<&str> = text.lines().skip(59_999).take(3).collect();
    let words = ["runs", "logs", "latest", "--step", "print", "--raw"];
    let words = [&words[..], &["--from", "60000", "--limit", "3"]].concat();
    let some = served.client.does(&words).exits(0).stdout;
    assert_eq!(some.lines().collect::<Vec<_>>(), lines);

    let run = &served.client.json(&["runs", "show", "latest"])["id"];
    let run = run.as_str().expect("an id");
    let address = format!("{}/api/v1/runs/{run}/logs/print/1", served.url());
    let (status, all) = bytes(served, &address, None).await;
    assert!(
        (status, &all[..]) == (200, text),
        "{status}, {} bytes",
        all.len()
    );
    let (status, some) = bytes(served, &address, Some("bytes=5000000-5000099")).await;
    assert_eq!((status, &some[..]), (206, &text[5_000_000..=5_000_099]));
}

async fn bytes(served: &Served, address: &str, range: Option<&str>) -> (u16, String) {
    let create = ["token", "create", "me", "--role", "admin", "--quiet"];
    let token = served.server.does(&create).exits(0).stdout;
    let mut request = reqwest::Client::new().get(address);
    request = request.bearer_auth(token.trim());
    if let Some(range) = range {
        request = request.header("Range", range);
    }
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

/// What is beyond the bounds goes from the store, too.
async fn forgets_all(store: &Store, database: &str) {
    let mut pruning = careen_over(store, database);
    pruning.set("CAREEN_KEEP_RUNS", "0");
    pruning.does(&["prune"]).exits(0);
    let left = kept(store).await;
    assert_eq!((count(&left, "logs/"), left.len()), (0, 1), "{left:?}");
    pruning.set("CAREEN_KEEP_CONTEXT_BYTES", "0");
    pruning.does(&["prune"]).exits(0);
    assert_eq!(kept(store).await, []);
}

//! What it costs to look at 10,000 base images: questions to their registry, time, and memory.
//!
//! `cargo bench --bench bases [-- IMAGES]`. The registry is a process of its own that counts what it is asked; the
//! goal is one HEAD for each image and interval, and less than 50 MB.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    net::SocketAddr,
    num::NonZeroU32,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use careen::{
    adapters::{
        memory::{containers::MemoryEngine, store::MemoryFrames},
        registry::Terms,
        sqlite::SqliteStore,
    },
    app::{App, LookTerms, Lookout},
    ports::{Clock, NewBase, sha256},
    triggers::Base,
};
use chrono::{DateTime, TimeDelta, Utc};

use support::Outside;

#[path = "support/app.rs"]
mod support;

/// Bases of one task.
const BASES_OF_TASK: usize = 100;

#[tokio::main]
async fn main() {
    // One TLS provider for everything that speaks TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "serve") {
        return serve().await;
    }
    let count = words.iter().find_map(|word| word.parse().ok());
    measure(count.unwrap_or(10_000)).await;
}

async fn measure(count: usize) {
    let mut registry = Counting::start();
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ShiftedClock(AtomicI64::new(0), Utc::now()));
    let app = Arc::new(app(folder.path(), clock.clone()).await);
    for task in 0..count / BASES_OF_TASK {
        let bases: Vec<NewBase> = (0..BASES_OF_TASK)
            .map(|number| new_base(&registry.host, task * BASES_OF_TASK + number))
            .collect();
        let name = format!("t{task}");
        let kept = app.bases.put_bases(&name, &bases, ("task", clock.now()));
        kept.await.expect("bases");
    }
    let before = megabytes("VmRSS:");
    let terms = LookTerms {
        per_second: NonZeroU32::MAX,
        ..LookTerms::default()
    };
    let lookout = Lookout::new(app, terms);
    for round in ["first seen", "unchanged", "unchanged"] {
        let begun = Instant::now();
        let looks = lookout.look().await.expect("looks");
        let (most, all) = registry.asked().await;
        println!(
            "{round}: {looks} looks in {:.1} s, {all} HEADs, at most {most} for one image",
            begun.elapsed().as_secs_f64(),
        );
        clock.0.fetch_add(20 * 60, Ordering::Relaxed);
    }
    println!(
        "memory: {before} MB before the looks, at most {} MB",
        megabytes("VmHWM:")
    );
    let _ = registry.process.kill();
}

fn new_base(host: &str, number: usize) -> NewBase {
    let repository = format!("{host}/base-{number}");
    NewBase {
        base: Base {
            key: format!("{repository}:1"),
            is_runtime: true,
            stood_on: None,
        },
        repository,
        rule: None,
    }
}

/// A registry in a process of its own.
struct Counting {
    host: String,
    process: Child,
}

impl Counting {
    fn start() -> Counting {
        let own = std::env::current_exe().expect("the bench knows itself");
        let mut process = Command::new(own)
            .arg("serve")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the registry starts");
        let output = process.stdout.take().expect("its output");
        let mut host = String::new();
        let read = BufReader::new(output).read_line(&mut host);
        read.expect("its address");
        Counting {
            host: host.trim().to_owned(),
            process,
        }
    }

    /// The most HEADs for one image, and all of them, since it was last asked.
    async fn asked(&mut self) -> (u64, u64) {
        let answer = reqwest::get(format!("http://{}/counts", self.host)).await;
        let text = answer.expect("an answer").text().await.expect("counts");
        let mut numbers = text.split(' ').map(|it| it.parse().expect("a number"));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }
}

async fn serve() {
    let counts: Arc<Mutex<HashMap<String, u64>>> = Arc::default();
    let answer = move |request: Request| {
        let counts = counts.clone();
        async move { answer(&counts, &request) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address: SocketAddr = listener.local_addr().expect("an address");
    println!("{address}");
    let routes = Router::new().fallback(answer);
    axum::serve(listener, routes).await.expect("it serves");
}

fn answer(counts: &Mutex<HashMap<String, u64>>, request: &Request) -> Response {
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    let path = request.uri().path();
    if path == "/counts" {
        let (most, all) = (counts.values().max().copied(), counts.values().sum::<u64>());
        counts.clear();
        return format!("{} {all}", most.unwrap_or(0)).into_response();
    }
    *counts.entry(path.to_owned()).or_default() += 1;
    let digest = sha256(path.as_bytes());
    let etag = format!("\"{digest}\"");
    if request
        .headers()
        .get(header::IF_NONE_MATCH)
        .is_some_and(|it| *it == *etag)
    {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let kind = "application/vnd.oci.image.manifest.v1+json".to_owned();
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::ETAG, etag),
        (
            header::HeaderName::from_static("docker-content-digest"),
            digest,
        ),
    ];
    headers.into_response()
}

/// A clock that can be set forward, by whole seconds.
struct ShiftedClock(AtomicI64, DateTime<Utc>);

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        self.1 + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
    }
}

/// What Linux says of this process's memory.
fn megabytes(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}

async fn app(folder: &Path, clock: Arc<ShiftedClock>) -> App {
    let store = SqliteStore::open(&folder.join("careen.db")).await;
    let store = Arc::new(store.expect("a database"));
    let outside = Outside {
        engine: MemoryEngine::new(),
        registry: Terms {
            first_wait: Duration::from_millis(50),
            ..Terms::default()
        },
        frames: Arc::new(MemoryFrames::new()),
        clock,
    };
    support::app(folder, store, outside)
}

//! A burst of deliveries with the server killed in its middle: what was answered is on the disk, once, and is decided.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use careen::{
    adapters::sqlite::SqliteStore,
    ports::{Deliveries, DeliveryFilter},
};
use reqwest::Client;

use super::host::{SECRET, signature};
use crate::{
    careens::{Careen, Running},
    every_store,
};

/// Deliveries that are sent side by side.
const SENDERS: usize = 32;
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(240);

/// Ten thousand deliveries where all is tested.
fn burst() -> usize {
    match std::env::var_os("CAREEN_TEST_ALL") {
        Some(_) => 10_000,
        None => 400,
    }
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn serve(careen: &Careen, address: &str) -> Running {
    let words = ["server", "--listen", address, "--insecure-loopback"];
    careen.start(&[&words[..], &["--no-worker"]].concat())
}

/// Delivers until it is answered, and notes that.
async fn deliver(client: &Client, address: &str, number: usize) {
    let body = format!("{{\"zen\":\"{number}\"}}").into_bytes();
    loop {
        let request = client
            .post(format!("http://{address}/hooks"))
            .header("x-github-event", "ping")
            .header("x-github-delivery", number.to_string())
            .header("x-hub-signature-256", signature(SECRET, &body))
            .timeout(Duration::from_secs(20))
            .body(body.clone());
        match request.send().await {
            Ok(answer) if answer.status().is_success() => return,
            // Nobody listens just now.
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Sends the burst, kills the server once half of it was answered, starts it again, and sends the rest.
async fn through_a_crash(careen: &Careen) {
    let address = free_address();
    let mut server = serve(careen, &address);
    let (next, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(0)));
    let client = Client::new();
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let (next, answered) = (next.clone(), answered.clone());
            let (client, address) = (client.clone(), address.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= burst() {
                        return;
                    }
                    deliver(&client, &address, number).await;
                    *answered.lock().unwrap() += 1;
                }
            })
        })
        .collect();
    let began = Instant::now();
    while *answered.lock().unwrap() < burst() / 2 {
        assert!(began.elapsed() < PATIENCE, "the server takes nothing");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.kill();
    assert!(
        next.load(Ordering::SeqCst) < burst(),
        "it was too late to kill"
    );
    server = serve(careen, &address);
    for sender in senders {
        sender.await.unwrap();
    }
    drop(server);
}

/// All ids that are kept, however often.
async fn kept(store: &dyn Deliveries) -> (usize, BTreeSet<String>, usize) {
    let (mut rows, mut ids, mut undecided) = (0, BTreeSet::new(), 0);
    let mut filter = DeliveryFilter {
        before: None,
        limit: 500,
    };
    loop {
        let page = store.deliveries(&filter).await.unwrap();
        let Some(last) = page.last() else {
            return (rows, ids, undecided);
        };
        filter.before = Some(last.number);
        rows += page.len();
        undecided += page.iter().filter(|it| it.decision.is_none()).count();
        ids.extend(page.into_iter().map(|it| it.id));
    }
}

async fn loses_none(careen: &mut Careen, open: impl AsyncFn(&Careen) -> Box<dyn Deliveries>) {
    careen.set("CAREEN_TEST_SECRET", SECRET);
    let source = ["hooks", "source", "hub", "--provider", "github"];
    let secret = ["--secret-from", "env:CAREEN_TEST_SECRET"];
    careen.does(&[&source[..], &secret].concat()).exits(0);
    through_a_crash(careen).await;
    let store = open(careen).await;
    let expected: BTreeSet<String> = (0..burst()).map(|it| format!("hub/*/{it}")).collect();
    let (rows, ids, _) = kept(&*store).await;
    assert_eq!(ids, expected, "what was answered");
    assert_eq!(rows, burst(), "and each once");
    // What was kept and not decided is decided by whoever serves next.
    let _server = serve(careen, &free_address());
    let began = Instant::now();
    while kept(&*store).await.2 > 0 {
        assert!(began.elapsed() < PATIENCE, "nobody decides the rest");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_through_a_killed_server_loses_none_and_keeps_each_once() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut careen = Careen::new();
    loses_none(&mut careen, async |careen| {
        let store = SqliteStore::open(&careen.database()).await.unwrap();
        Box::new(store) as Box<dyn Deliveries>
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_through_a_killed_server_loses_none_on_postgres_either() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    every_store::on_postgres_at(async |address| {
        let mut careen = Careen::new();
        careen.set("CAREEN_DB", &address);
        loses_none(&mut careen, async |_| {
            Box::new(every_store::connect(&address).await) as Box<dyn Deliveries>
        })
        .await;
    })
    .await;
}

//! How many deliveries a second a server keeps durably, signature checked, and how fast it is decided which of 10,000
//! tasks a push concerns.
//!
//! `cargo bench --bench hooks [-- sqlite|postgres|decide]`. Deliveries go over http to a `careen server` of its own.
//! The goals are 4,000 a second on SQLite and 6,000 on Postgres, 99 of 100 answered within 50 ms, and 1 ms.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use careen::{
    tasks::{Definition, SourceTrigger},
    triggers::{Author, Happening, Push, Reference, SourceFact, TaskIndex},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Deliveries in one measurement.
const DELIVERIES: usize = 10_000;
/// Connections that deliver side by side.
const SENDERS: usize = 64;
/// About as much as GitHub sends for a push.
const BODY_BYTES: usize = 7_500;
const SECRET: &str = "a secret of the bench";
const TASKS: usize = 10_000;
const USUAL_POSTGRES: &str = "postgres://postgres@127.0.0.1:5433/postgres";

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let modes = ["decide", "sqlite", "postgres"];
    let is_wanted = |name: &str| {
        !words.iter().any(|it| modes.contains(&it.as_str())) || words.iter().any(|it| it == name)
    };
    if is_wanted("decide") {
        decide();
    }
    let folder = tempfile::tempdir().expect("a folder");
    if is_wanted("sqlite") {
        let path = folder.path().join("careen.db");
        measure("SQLite", &path.to_string_lossy(), folder.path()).await;
    }
    if is_wanted("postgres") {
        postgres(folder.path()).await;
    }
}

async fn postgres(folder: &std::path::Path) {
    let server = std::env::var("CAREEN_TEST_POSTGRES_URL");
    let server = server.unwrap_or_else(|_| USUAL_POSTGRES.to_owned());
    let Ok(mut connection) = PgConnection::connect(&server).await else {
        return println!("Postgres: none at {server}; ./dev setup postgres starts one");
    };
    let schema = format!("bench_{}", uuid::Uuid::new_v4().simple());
    let make = AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    sqlx::raw_sql(make)
        .execute(&mut connection)
        .await
        .expect("a schema");
    let address = format!("{server}?options=-c%20search_path%3D{schema}");
    measure("Postgres", &address, folder).await;
    let drop = AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"));
    sqlx::raw_sql(drop)
        .execute(&mut connection)
        .await
        .expect("no schema");
}

fn careen(database: &str, folder: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_careen"));
    command
        .env("CAREEN_DB", database)
        .env("XDG_DATA_HOME", folder)
        .env("CAREEN_BENCH_SECRET", SECRET);
    command
}

/// Starts a server and says where it listens.
fn serve(database: &str, folder: &std::path::Path) -> (Child, String) {
    let source = ["hooks", "source", "hub", "--provider", "github"];
    let secret = ["--secret-from", "env:CAREEN_BENCH_SECRET"];
    let set = careen(database, folder).args(source).args(secret).status();
    assert!(set.expect("careen starts").success());
    let listen = [
        "server",
        "--listen",
        "127.0.0.1:0",
        "--insecure-loopback",
        "--no-worker",
    ];
    let mut command = careen(database, folder);
    let mut server = command
        .args(listen)
        .stderr(Stdio::piped())
        .spawn()
        .expect("a server");
    let said = BufReader::new(server.stderr.take().expect("its words"));
    let mut lines = said.lines().map_while(Result::ok);
    let line = lines
        .find(|line| line.contains("listening on"))
        .expect("an address");
    let address = line
        .split("http://")
        .nth(1)
        .and_then(|it| it.split(',').next());
    let address = address.expect("an address").to_owned();
    std::thread::spawn(move || lines.for_each(drop));
    (server, address)
}

async fn measure(name: &str, database: &str, folder: &std::path::Path) {
    let (mut server, address) = serve(database, folder);
    let begun = Instant::now();
    let senders = (0..SENDERS).map(|sender| tokio::spawn(send(address.clone(), sender)));
    let mut took: Vec<Duration> = Vec::new();
    for sender in senders.collect::<Vec<_>>() {
        took.extend(sender.await.expect("a sender"));
    }
    let seconds = begun.elapsed().as_secs_f64();
    took.sort();
    let p99 = took[took.len() * 99 / 100];
    println!(
        "{name}: {:.0} deliveries/s, p50 {:.1} ms, p99 {:.1} ms",
        took.len() as f64 / seconds,
        took[took.len() / 2].as_secs_f64() * 1000.0,
        p99.as_secs_f64() * 1000.0,
    );
    server.kill().expect("it ends");
    server.wait().expect("it has ended");
}

/// Sends one part of the deliveries over one connection, and measures each.
async fn send(address: String, sender: usize) -> Vec<Duration> {
    let mut stream = TcpStream::connect(&address).await.expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let filler = "x".repeat(BODY_BYTES);
    let body = format!(r#"{{"zen":"{filler}"}}"#);
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key will do");
    let bytes = mac.chain_update(&body).finalize().into_bytes();
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut took = Vec::new();
    for number in 0..DELIVERIES / SENDERS {
        let request = format!(
            "POST /hooks HTTP/1.1\r\nhost: {address}\r\nx-github-event: ping\r\n\
             x-github-delivery: {sender}-{number}\r\nx-hub-signature-256: sha256={digits}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let begun = Instant::now();
        stream.write_all(request.as_bytes()).await.expect("sent");
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 202"));
        took.push(begun.elapsed());
    }
    took
}

/// Reads one answer whole.
async fn answer(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    loop {
        let mut part = [0; 2048];
        let read = stream.read(&mut part).await.expect("an answer");
        said.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&said).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if length.is_some_and(|it| it.parse() == Ok(body.len())) || read == 0 {
            return text;
        }
    }
}

/// Decides for a push to a repository that ten of the tasks watch.
fn decide() {
    let task = |number: usize| {
        let url = format!("https://github.com/acme/web-{}.git", number / 10);
        let mut task = Definition::named(format!("task-{number}"));
        task.context = Some(format!("{url}#main:part-{}", number % 10));
        let mut trigger = SourceTrigger::new("t", url);
        trigger.branches = vec!["main".to_owned(), "release/**".to_owned()];
        task.triggers.source.push(trigger);
        task
    };
    let tasks: Vec<Definition> = (0..TASKS).map(task).collect();
    let begun = Instant::now();
    let index = TaskIndex::new(&tasks);
    let indexed = begun.elapsed();
    let fact = SourceFact {
        addresses: vec!["https://github.com/acme/web-500.git".to_owned()],
        happening: Happening::Push(Push {
            reference: Reference::Branch("release/1/fix".to_owned()),
            before: None,
            commit: "b".repeat(40),
            author: Author::default(),
            message: "Fix the door".to_owned(),
            paths: Some((0..100).map(|it| format!("part-3/file-{it}.rs")).collect()),
            at: None,
        }),
    };
    let begun = Instant::now();
    const TIMES: u32 = 1_000;
    for _ in 0..TIMES {
        let considered = index.decide(&fact, None);
        assert_eq!(considered.iter().filter(|it| it.outcome.is_ok()).count(), 1);
    }
    let each = begun.elapsed() / TIMES;
    println!("{TASKS} tasks: a push is decided in {each:?}, the index is made in {indexed:?}");
}

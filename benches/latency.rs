//! How long it takes from the POST of a run to its first container, and what a server costs that does nothing.
//!
//! `cargo bench --bench latency [-- sqlite|postgres|idle] [RUNS]`. A `careen server` of its own process speaks to an
//! engine that answers at once and makes no container, so that the time is careen's own. The goals are 15 ms for half
//! of all runs and 80 ms for 99 of 100; 60 MB and 1% of a core for an idle server.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use reqwest::Client;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::{Mutex, mpsc};

/// Runs in one measurement, unless the command line says how many.
const RUNS: usize = 1000;
/// Runs before that, of which nothing is measured.
const WARM_UP: usize = 20;
/// How long an idle server is looked at, after it has settled for as long.
const IDLE: Duration = Duration::from_secs(10);
/// How long a run's first container may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(20);
const TASK: &str = "version: v1.1.0\nsteps:\n  - cmd: busybox true\n";
const USUAL_POSTGRES: &str = "postgres://postgres@127.0.0.1:5433/postgres";

#[tokio::main]
async fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runs = words.iter().find_map(|it| it.parse().ok()).unwrap_or(RUNS);
    let modes = ["sqlite", "postgres", "idle"];
    let is_wanted = |name: &str| {
        !words.iter().any(|it| modes.contains(&it.as_str())) || words.iter().any(|it| it == name)
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("careen.db");
    let sqlite = path.to_string_lossy();
    if is_wanted("sqlite") {
        latency("SQLite", (&sqlite, folder.path()), runs).await;
    }
    if is_wanted("idle") {
        idle("SQLite", (&sqlite, folder.path())).await;
    }
    if is_wanted("postgres") {
        postgres(folder.path(), runs).await;
    }
}

async fn postgres(folder: &Path, runs: usize) {
    let server = std::env::var("CAREEN_TEST_POSTGRES_URL");
    let server = server.unwrap_or_else(|_| USUAL_POSTGRES.to_owned());
    let Ok(mut connection) = PgConnection::connect(&server).await else {
        return println!("Postgres: none at {server}; ./dev setup postgres starts one");
    };
    let schema = format!("bench_{}", uuid::Uuid::new_v4().simple());
    let make = AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    let made = sqlx::raw_sql(make).execute(&mut connection).await;
    made.expect("a schema");
    let address = format!("{server}?options=-c%20search_path%3D{schema}");
    latency("Postgres", (&address, folder), runs).await;
    idle("Postgres", (&address, folder)).await;
    let drop = AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"));
    let dropped = sqlx::raw_sql(drop).execute(&mut connection).await;
    dropped.expect("no schema");
}

/// An engine that tells when a container is asked for, and makes none.
struct Engine {
    address: String,
    asked: Arc<Mutex<mpsc::UnboundedReceiver<Instant>>>,
}

impl Engine {
    async fn start() -> Engine {
        let (tell, asked) = mpsc::unbounded_channel();
        let routes = Router::new().fallback(answer).with_state(tell);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Engine {
            address: format!("tcp://{address}"),
            asked: Arc::new(Mutex::new(asked)),
        }
    }

    /// Waits until a container is asked for, and forgets those that were before.
    async fn is_asked(&self) -> Instant {
        let mut asked = self.asked.lock().await;
        let asked = tokio::time::timeout(PATIENCE, asked.recv()).await;
        asked
            .expect("no container was asked for")
            .expect("the engine lives")
    }

    async fn forget(&self) {
        let mut asked = self.asked.lock().await;
        while asked.try_recv().is_ok() {}
    }
}

/// Answers as the Docker Engine does, as far as a run of one step asks.
async fn answer(
    State(tell): State<mpsc::UnboundedSender<Instant>>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    let made: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = uri.path();
    let path = path.strip_prefix("/v1.41").unwrap_or(path);
    let fine = |value: Value| Json(value).into_response();
    match (method.as_str(), path) {
        (_, "/_ping") => ([("api-version", "1.41")], "OK").into_response(),
        ("GET", "/version") => fine(json!({
            "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Version": "20.10.0",
            "Os": "linux", "Arch": "amd64",
        })),
        ("GET", "/info") => fine(json!({
            "ID": "bench", "OSType": "linux", "Architecture": "x86_64", "OperatingSystem": "none",
            "ServerVersion": "20.10.0", "NCPU": 2, "MemTotal": 1 << 30,
        })),
        ("POST", "/containers/create") => {
            let _ = tell.send(Instant::now());
            let refused = json!({ "message": "this engine makes no container" });
            (StatusCode::INTERNAL_SERVER_ERROR, Json(refused)).into_response()
        }
        ("GET", path) if path.starts_with("/images/") => fine(json!({
            "Id": format!("sha256:{}", "a".repeat(64)), "RepoTags": ["busybox:latest"],
            "RepoDigests": [], "Config": {}, "Size": 1,
        })),
        ("GET", "/containers/json" | "/networks") => fine(json!([])),
        ("GET", "/volumes") => fine(json!({ "Volumes": [], "Warnings": [] })),
        ("POST", "/volumes/create") => fine(json!({
            "Name": made["Name"], "Driver": "local", "Mountpoint": "/v", "Labels": made["Labels"],
            "Options": {}, "Scope": "local",
        })),
        ("POST", "/networks/create") => fine(json!({ "Id": "n", "Warning": "" })),
        ("DELETE", _) => StatusCode::NO_CONTENT.into_response(),
        _ => {
            let nothing = json!({ "message": "no such thing" });
            (StatusCode::NOT_FOUND, Json(nothing)).into_response()
        }
    }
}

/// A server, killed when the bench is done with it or gives up.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server and says where it listens.
fn serve((database, folder): (&str, &Path), engine: &Engine) -> (Server, String) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_careen"))
        .args(["server", "--listen", "127.0.0.1:0", "--insecure-loopback"])
        .args(["--rate-limit", "0"])
        .env("CAREEN_DB", database)
        .env("XDG_DATA_HOME", folder)
        .env("DOCKER_HOST", &engine.address)
        .stderr(Stdio::piped())
        .spawn()
        .expect("a server");
    let said = BufReader::new(server.stderr.take().expect("its words"));
    let mut lines = said.lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains("listening on"));
    let line = line.expect("an address");
    let address = line.split("on ").nth(1);
    let address = address.and_then(|it| it.split(',').next());
    let address = address.expect("an address").to_owned();
    std::thread::spawn(move || lines.for_each(drop));
    (Server(server), address)
}

async fn latency(name: &str, place: (&str, &Path), runs: usize) {
    let engine = Engine::start().await;
    let (_server, address) = serve(place, &engine);
    let client = Client::new();
    for _ in 0..WARM_UP {
        one(&client, &address, &engine).await;
    }
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        times.push(one(&client, &address, &engine).await);
    }
    times.sort();
    let at = |part: f64| {
        let index = (times.len() as f64 * part) as usize;
        times[index.min(times.len() - 1)].as_secs_f64() * 1000.0
    };
    println!(
        "{name}: {runs} runs, POST to the first container: p50 {:.1} ms (goal 15), p99 {:.1} ms (goal 80)",
        at(0.5),
        at(0.99)
    );
}

/// Queues a run and says how long its first container takes to be asked for; returns once it has ended.
async fn one(client: &Client, address: &str, engine: &Engine) -> Duration {
    engine.forget().await;
    let began = Instant::now();
    let runs = format!("{address}/api/v1/runs");
    let queued = client.post(&runs).json(&json!({ "text": TASK })).send();
    let queued = async {
        let queued = queued.await.expect("an answer");
        let run: Value = queued.json().await.expect("JSON");
        run["id"].as_str().expect("queued").to_owned()
    };
    // The container may be asked for before the answer has come.
    let (run, asked) = tokio::join!(queued, engine.is_asked());
    let took = asked - began;
    let url = format!("{runs}/{run}");
    loop {
        let shown = client.get(&url).send().await.expect("an answer");
        let shown: Value = shown.json().await.expect("JSON");
        if !shown["ended_at"].is_null() {
            return took;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Prints what a server takes that has nothing to do.
async fn idle(name: &str, place: (&str, &Path)) {
    let engine = Engine::start().await;
    let (server, _) = serve(place, &engine);
    let process = server.0.id();
    tokio::time::sleep(IDLE).await;
    let before = ticks(process);
    tokio::time::sleep(IDLE).await;
    let used = (ticks(process) - before) as f64 / TICKS;
    let megabytes = resident_kilobytes(process) as f64 / 1024.0;
    let percent = used * 100.0 / IDLE.as_secs_f64();
    println!(
        "{name}: an idle server holds {megabytes:.0} MB (goal 60) and takes {percent:.2}% of a core (goal 1)"
    );
}

/// Ticks of Linux in a second.
const TICKS: f64 = 100.0;

/// The time that a process has used, in ticks.
fn ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("it lives");
    // The name in the second field may hold anything; fields are counted behind it.
    let rest = stat.rsplit(')').next().expect("fields");
    let field = |index: usize| rest.split_whitespace().nth(index)?.parse::<u64>().ok();
    field(11)
        .zip(field(12))
        .map_or(0, |(user, system)| user + system)
}

fn resident_kilobytes(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|it| it.split_whitespace().next()?.parse().ok());
    kilobytes.unwrap_or(0)
}

//! Servers and workers that come and go while runs are under way: no run is lost, none is done twice.

use crate::{
    careens::{Careen, Running},
    cli::sh,
    every_store,
    remote::Served,
};

/// Writes a numbered line every tenth of a second.
const COUNTING: &str = "for i in $(seq 1 60); do echo line $i; sleep 0.1; done";
/// Runs under way at once.
const RUNS: usize = 3;

fn log(careen: &Careen, run: &str) -> String {
    careen
        .does(&["runs", "logs", run, "--step", "count"])
        .stdout
}

fn ids(careen: &Careen) -> Vec<String> {
    let runs = careen.json(&["runs", "list"]);
    let runs = runs.as_array().expect("a list").iter();
    runs.map(|run| run["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// Starts the new server, then stops the old one while runs are under way.
fn upgraded(server: Careen) {
    let served = Served::new(server, &["--worker-name", "old", "--parallel-runs", "3"]);
    served.client.steps(&sh("count", COUNTING, ""));
    let runs: Vec<Running> = (0..RUNS).map(|_| served.client.start(&["run"])).collect();
    let server = &served.server;
    server.until("all count", |server| {
        let ids = ids(server);
        ids.len() == RUNS && ids.iter().all(|id| log(server, id).lines().count() > 5)
    });
    let ids = ids(server);
    let _new = server.start(&[
        "server",
        "--listen",
        "127.0.0.1:0",
        "--worker-name",
        "new",
        "--parallel-runs",
        "3",
    ]);
    served.running().signal("-TERM");
    for id in &ids {
        server.success_of(id, 1);
        let lines: Vec<String> = (1..=60).map(|number| format!("line {number}")).collect();
        assert_eq!(log(server, id).lines().collect::<Vec<_>>(), lines);
    }
    drop(runs);
    assert_eq!(server.json(&["sweep"])["removed"], 0);
}

#[test]
fn a_rolling_upgrade_loses_no_run_and_no_line() {
    let Some(server) = Careen::on_docker() else {
        return;
    };
    upgraded(server);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(every_store::on_postgres_at(async |address| {
        let mut server = Careen::new();
        server.set("CAREEN_DB", &address);
        upgraded(server);
    }));
}

#[test]
fn a_server_that_is_to_drain_ends_its_runs_before_it_goes() {
    let Some(server) = Careen::on_docker() else {
        return;
    };
    let mut served = Served::new(server, &["--drain", "60"]);
    served.client.steps(&sh("count", COUNTING, ""));
    let _run = served.client.start(&["run"]);
    served.server.until("it counts", |server| {
        log(server, "latest").lines().count() > 5
    });
    served.running().signal("-TERM");
    served.stops();
    assert_eq!(served.server.latest()["status"], "succeeded");
}

#[test]
fn a_worker_with_files_of_its_own_gets_an_uploaded_context_from_the_object_store() {
    if Careen::on_docker().is_none() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(every_store::on_postgres_at(async |address| {
        let (mut server, mut worker) = (Careen::new(), Careen::new());
        let shared = server.path("objects");
        for careen in [&mut server, &mut worker] {
            careen.set("CAREEN_DB", &address);
            careen.set("CAREEN_OBJECTS", &shared.to_string_lossy());
            careen.set("CAREEN_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
        }
        let _worker = worker.start(&["worker", "--name", "elsewhere"]);
        let served = Served::new(server, &["--no-worker"]);
        served.client.file("note", "sent\n");
        let steps = sh("one", "cat note; echo {{.Values.word}}", "");
        served.client.steps(&steps);
        let ran = served
            .client
            .does(&["run", "--set-secret", "word=hush-hush"])
            .exits(0);
        assert_eq!(ran.stdout, "one | sent\none | ***\n");
        assert_eq!(worker.json(&["sweep"])["removed"], 0);
    }));
}

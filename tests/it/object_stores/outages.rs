//! An object store that goes away and comes back: workers say so, take nothing meanwhile, and lose no line.

use serde_json::Value;

use super::emulators::{Door, KINDS, Store};
use crate::{careens::Careen, cli::sh, every_store, remote::Served};

/// How often the long log grows, and by how much each time.
const TIMES: usize = 60;
const GROWS: &str =
    "for i in $(seq 1 60); do head -c 150000 /dev/urandom | base64; echo line $i; sleep 0.2; done";

/// What the one worker says keeps it from taking runs.
fn problem(careen: &Careen) -> String {
    let workers = careen.json(&["worker", "list"]);
    let problem = workers[0]["problem"].as_str();
    problem.unwrap_or_default().to_owned()
}

fn run(careen: &Careen) -> Value {
    careen.json(&["runs", "list"])[0].clone()
}

/// A store is stopped and started again while a worker lives.
fn stopped_and_started(mut store: Store, runtime: &tokio::runtime::Runtime) {
    let mut server = Careen::on_docker().expect("it was there");
    for (name, value) in [store.settings(), store.secrets()].concat() {
        server.set(&name, &value);
    }
    server.set("CAREEN_OBJECTS", &store.address());
    let served = Served::new(server, &[]);
    let client = &served.client;
    client.steps(&sh("one", "cat note", ""));
    client.file("note", "sent\n");
    assert_eq!(client.run(&[]).exits(0).stdout, "one | sent\n");

    store.stop();
    client.until("the worker says so", |it| {
        problem(it).contains("cannot be reached")
    });
    let listed = client.does(&["worker", "list"]).exits(0);
    listed.prints("in trouble: the object store");
    let waiting = client.start(&["run", "-f", "acb.yaml", "/dev/null"]);
    client.until("the run says why it waits", |client| {
        let waits = run(client).to_string();
        waits.contains("queued") && waits.contains("no worker of pool default takes it")
    });

    runtime.block_on(store.start());
    client.until("the worker has recovered", |it| problem(it).is_empty());
    // Without its context there is no note; but it was taken.
    waiting.end().exits(1);
    client.file("note", "again\n");
    assert_eq!(client.run(&[]).exits(0).stdout, "one | again\n");
}

#[test]
fn a_store_that_was_stopped_is_said_and_outlasted() {
    if Careen::on_docker().is_none() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for kind in KINDS {
        if let Some(store) = runtime.block_on(Store::restartable(kind)) {
            stopped_and_started(store, &runtime);
        }
    }
}

#[test]
fn a_log_goes_on_where_its_store_went_away() {
    if Careen::on_docker().is_none() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for kind in KINDS {
        runtime.block_on(async {
            let Some(store) = Store::shared(kind).await else {
                return;
            };
            every_store::on_postgres_at(async |address| {
                log_over_an_outage(&store, &address).await;
            })
            .await;
        });
    }
}

async fn log_over_an_outage(store: &Store, database: &str) {
    let door = Door::before(store).await;
    let mut server = Careen::new();
    for (name, value) in [store.settings_at(&door.url), store.secrets()].concat() {
        server.set(&name, &value);
    }
    server.set("CAREEN_DB", database);
    server.set("CAREEN_OBJECTS", &store.address());
    let served = Served::new(server, &[]);
    let (client, server) = (&served.client, &served.server);
    client.steps(&sh("grow", GROWS, ""));
    client.does(&["run", ".", "--detach"]).exits(0);
    let large = async || store.objects().list("logs").await.expect("a list").len();
    while large().await < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    door.close();
    client.until("the worker says so", |it| !problem(it).is_empty());
    door.open();
    client.until("it has ended", |it| !run(it)["ended_at"].is_null());
    assert_eq!(run(client)["status"], "succeeded");
    let log = server.does(&["runs", "logs", "latest", "--step", "grow", "--raw"]);
    let lines = log.stdout.lines().filter(|it| it.starts_with("line "));
    let wanted = (1..=TIMES).map(|it| format!("line {it}"));
    assert!(lines.eq(wanted), "{TIMES} lines in their order");
}

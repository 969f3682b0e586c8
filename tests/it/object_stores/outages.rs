//! An object store that goes away and comes back: workers say so, and take nothing meanwhile.

use serde_json::Value;

use super::emulators::{KINDS, Store};
use crate::{careens::Careen, cli::sh, remote::Served};

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

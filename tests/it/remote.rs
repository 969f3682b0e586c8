//! The real careen as a server and as its client, on the engine of this machine.

use std::{net::TcpListener, time::Duration};

use crate::{
    careens::{Careen, Running},
    cli::sh,
};

/// A server process, and a client that knows it.
pub struct Served {
    pub server: Careen,
    pub client: Careen,
    running: Option<Running>,
    address: String,
}

impl Served {
    pub fn new(server: Careen, options: &[&str]) -> Served {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let address = format!("127.0.0.1:{port}");
        let made = server.does(&["token", "create", "me", "--role", "admin", "--quiet"]);
        let token = made.exits(0).stdout.trim().to_owned();
        let mut client = Careen::new();
        client.set("CAREEN_SERVER", &format!("http://{address}"));
        client.set("CAREEN_TOKEN", &token);
        let mut served = Served {
            server,
            client,
            running: None,
            address,
        };
        served.start(options);
        served
    }

    /// Starts the server, and waits until it listens.
    pub fn start(&mut self, options: &[&str]) {
        let words = [&["server", "--listen", &self.address], options].concat();
        self.running = Some(self.server.start(&words));
        for _ in 0..600 {
            if std::net::TcpStream::connect(&self.address).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not listen");
    }

    /// Where the server is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The server's process.
    pub fn running(&self) -> &Running {
        self.running.as_ref().expect("a server")
    }

    /// Waits until the server has ended by itself, and well.
    pub fn stops(&mut self) {
        self.running.take().expect("a server").end().exits(0);
    }

    /// Kills the server as nothing can prevent.
    pub fn kill(&mut self) {
        self.running.take().expect("a server").kill();
    }
}

#[test]
fn a_run_on_a_server_looks_and_ends_as_one_here() {
    let Some(server) = Careen::on_docker() else {
        return;
    };
    let served = Served::new(server, &[]);
    let client = &served.client;
    client.file("greeting.txt", "hello from the context\n");
    client.steps(&sh("one", "cat greeting.txt; echo {{.Values.who}}", ""));
    let ran = client
        .run(&["--set", "who=world"])
        .exits(0)
        .says(&["one", "succeeded"]);
    assert_eq!(ran.stdout, "one | hello from the context\none | world\n");
    client.steps(&sh("one", "exit 7", ""));
    client.run(&[]).exits(1).says(&["failed with exit code 7"]);
    client.steps("  - cmd: busybox true\n    when: [nobody]\n");
    client.run(&[]).exits(2).says(&["nobody"]);
    client.steps(&sh("one", "sleep 60", "    timeout: 1\n"));
    client.run(&[]).exits(4);
    let listed = client.json(&["runs", "list"]);
    let statuses: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["timed_out", "failed", "succeeded"]);
    assert_eq!(client.latest()["status"], "timed_out");
    let log = client.does(&["runs", "logs", "latest~2"]).exits(0);
    assert_eq!(log.stdout, ran.stdout);
    let followed = client
        .does(&["runs", "logs", "latest~2", "--follow"])
        .exits(0);
    assert_eq!(followed.stdout, ran.stdout);
    // Nothing was recorded on the client's side.
    assert!(client.unfinished().is_empty());
}

#[test]
fn a_task_of_a_server_is_stored_run_and_canceled_from_a_client() {
    let Some(server) = Careen::on_docker() else {
        return;
    };
    let served = Served::new(server, &[]);
    let client = &served.client;
    let create = ["task", "create", "-n", "nap", "--cmd", "busybox sleep 600"];
    client.does(&create).exits(0);
    client
        .does(&create)
        .exits(2)
        .says(&["there is a task nap already"]);
    client
        .does(&["task", "show", "other"])
        .exits(2)
        .says(&["no task other"]);
    let running = client.start(&["task", "run", "nap"]);
    client.until("the nap has begun", |client| {
        let runs = client.json(&["runs", "list"]);
        runs[0]["status"] == "running"
    });
    client.does(&["runs", "cancel", "latest"]).exits(0);
    running.end().exits(130);
    let mut stranger = Careen::new();
    stranger.set("CAREEN_SERVER", &format!("http://{}", served.address));
    stranger.set("CAREEN_TOKEN", "careen_guessed");
    stranger
        .does(&["runs", "list"])
        .exits(2)
        .says(&["the token is not known"]);
}

#[test]
fn a_run_goes_on_when_its_server_is_killed_and_started_again() {
    let Some(server) = Careen::on_docker() else {
        return;
    };
    let mut served = Served::new(server, &[]);
    let script = "for i in 1 2 3 4 5 6; do echo $i; sleep 1; done";
    served.client.steps(&sh("count", script, ""));
    let running = served.client.start(&["run"]);
    served.client.until("it counts", |client| {
        let log = client.does(&["runs", "logs", "latest"]);
        log.stdout.contains("count | 2")
    });
    served.kill();
    served.start(&[]);
    let ran = running.end().exits(0);
    assert_eq!(
        ran.stdout,
        "count | 1\ncount | 2\ncount | 3\ncount | 4\ncount | 5\ncount | 6\n"
    );
}

#[test]
fn a_server_that_is_not_there_exits_3_and_says_what_to_do() {
    let mut client = Careen::new();
    client.set("CAREEN_SERVER", "http://127.0.0.1:1");
    client
        .does(&["runs", "list"])
        .exits(3)
        .says(&["does not answer", "careen server"]);
    client.set("CAREEN_SERVER", "http://careen.example.com");
    client.set("CAREEN_TOKEN", "careen_secret");
    client
        .does(&["runs", "list"])
        .exits(2)
        .says(&["everybody on the way would read the token"]);
}

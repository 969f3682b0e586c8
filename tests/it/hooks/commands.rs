//! The commands about deliveries as people type them, against a server of its own process.

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::host::{FILE, SECRET, signature};
use crate::{
    careens::Careen,
    cli::sh,
    contexts::servers::{GitServer, Repository},
    remote::Served,
};

/// A git server and a careen server that one client speaks to.
struct Place {
    runtime: Runtime,
    served: Served,
    git: GitServer,
    repository: Repository,
}

impl Place {
    fn new() -> Option<Place> {
        let server = Careen::on_docker()?;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = Runtime::new().unwrap();
        let git = runtime.block_on(GitServer::start());
        let repository = git.repository("web.git", &[("acb.yaml", FILE)]);
        let mut served = Served::new(server, &["--allow", "private-address"]);
        served.client.set("CAREEN_TEST_SECRET", SECRET);
        let place = Place {
            runtime,
            served,
            git,
            repository,
        };
        let source = ["hooks", "source", "hub", "--provider", "github"];
        let secret = ["--secret-from", "env:CAREEN_TEST_SECRET"];
        place
            .client()
            .does(&[&source[..], &secret].concat())
            .exits(0);
        place.task();
        Some(place)
    }

    fn client(&self) -> &Careen {
        &self.served.client
    }

    /// A task on pushes and pull requests.
    fn task(&self) {
        let context = format!("{}#main", self.git.url("web.git"));
        let words = [
            "task", "create", "-n", "web", "-c", &context, "-f", "acb.yaml",
        ];
        let triggers = ["--commit-trigger-enabled", "--pull-request-trigger-enabled"];
        let allow = ["--allow", "private-address", "--quiet"];
        self.client()
            .does(&[&words[..], &triggers, &allow].concat())
            .exits(0);
    }

    fn delivers(&self, event: &str, secret: &str, body: &Value) -> u16 {
        let body = body.to_string().into_bytes();
        let request = reqwest::Client::new()
            .post(format!("{}/hooks", self.served.url()))
            .header("x-github-event", event)
            .header("x-github-delivery", uuid::Uuid::new_v4().to_string())
            .header("x-hub-signature-256", signature(secret, &body))
            .body(body);
        let answer = self.runtime.block_on(request.send()).unwrap();
        answer.status().as_u16()
    }

    fn push(&self, commit: &str) -> Value {
        json!({
            "ref": "refs/heads/main",
            "before": "0".repeat(40),
            "after": commit,
            "repository": {"id": 1, "clone_url": self.git.url("web.git")},
            "sender": {"id": 7, "login": "ann"},
        })
    }

    /// A pull request of a stranger's fork.
    fn request(&self, commit: &str) -> Value {
        json!({
            "action": "opened",
            "repository": {"id": 1, "clone_url": self.git.url("web.git")},
            "pull_request": {
                "number": 1,
                "title": "Try",
                "user": {"id": 66, "login": "mallory"},
                "head": {"ref": "try", "sha": commit, "repo": {"id": 2}},
                "base": {"ref": "main", "sha": commit, "repo": {"id": 1}},
            },
        })
    }

    /// Waits until so many deliveries are decided, and lists them.
    fn decided(&self, count: usize) -> Value {
        let listed = || self.client().json(&["hooks", "list"]);
        self.client().until("deliveries are decided", |_| {
            let listed = listed();
            let all = listed.as_array().expect("a list");
            all.len() == count && all.iter().all(|it| it["decision"].is_object())
        });
        listed()
    }
}

#[test]
fn deliveries_are_listed_shown_replayed_and_refused_ones_told() {
    let Some(place) = Place::new() else {
        return;
    };
    let client = place.client();
    let commit = place.repository.git(&["rev-parse", "HEAD"]);
    assert_eq!(place.delivers("push", SECRET, &place.push(&commit)), 202);
    assert_eq!(place.delivers("push", "a wrong secret", &json!({})), 401);
    let listed = place.decided(1);
    let run = listed[0]["decision"]["tasks"][0]["run"].as_str().unwrap();
    assert_eq!(place.client().end_of(run)["status"], "succeeded");
    let number = listed[0]["number"].to_string();
    client.does(&["hooks", "list"]).exits(0).says(&[]);
    let shown = client.does(&["hooks", "show", &number]).exits(0).stdout;
    for word in ["hub", "one run", run, "main is at", "x-github-event"] {
        assert!(shown.contains(word), "{word} in {shown}");
    }
    let again = client.does(&["hooks", "replay", &number]).exits(0).stdout;
    assert!(again.contains("1 runs, as replay 1"), "{again}");
    let shown = client.does(&["hooks", "show", &number]).exits(0).stdout;
    assert!(shown.contains("replays"), "{shown}");
    let runs = client.json(&["runs", "list"]);
    assert_eq!(runs.as_array().map(Vec::len), Some(2));
    place.client().end_of(runs[0]["id"].as_str().unwrap());
    let refused = client.does(&["hooks", "rejected"]).exits(0).stdout;
    assert!(refused.contains("its signature is wrong"), "{refused}");
    let sources = client.does(&["hooks", "sources"]).exits(0).stdout;
    assert!(sources.contains("hub"), "{sources}");
    client.does(&["hooks", "remove-source", "hub"]).exits(0);
    assert_eq!(client.json(&["hooks", "sources"]), json!([]));
}

#[test]
fn a_task_on_a_repository_is_run_by_hand_without_a_server_too() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    let runtime = Runtime::new().unwrap();
    let git = runtime.block_on(GitServer::start());
    let repository = git.repository("web.git", &[("acb.yaml", FILE)]);
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let context = format!("{}#main", git.url("web.git"));
    let words = [
        "task", "create", "-n", "web", "-c", &context, "-f", "acb.yaml",
    ];
    let allow = ["--allow", "private-address", "--quiet"];
    careen.does(&[&words[..], &allow].concat()).exits(0);
    careen.does(&["task", "run", "web"]).exits(0);
    let first = careen.latest();
    assert_eq!(first["prepared"]["commit"], json!(commit), "{first}");
    repository.commit(&[("a.txt", "next")]);
    careen.does(&["runs", "rerun", "latest"]).exits(0);
    let again = careen.latest();
    assert_ne!(again["id"], first["id"]);
    assert_eq!(again["prepared"]["commit"], json!(commit), "as it was");
}

#[test]
fn a_run_of_a_fork_goes_once_it_is_approved() {
    let Some(place) = Place::new() else {
        return;
    };
    let client = place.client();
    place.repository.git(&["checkout", "-q", "-b", "try"]);
    let commit = place.repository.commit(&[("b.txt", "tried")]);
    let fetched = ["update-ref", "refs/pull/1/head", &commit];
    place.repository.git(&fetched);
    let delivered = place.delivers("pull_request", SECRET, &place.request(&commit));
    assert_eq!(delivered, 202);
    let listed = place.decided(1);
    let run = listed[0]["decision"]["tasks"][0]["run"].as_str().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(client.json(&["runs", "show", run])["status"], "queued");
    client.does(&["runs", "approve", run]).exits(0);
    assert_eq!(place.client().end_of(run)["status"], "succeeded");
    client
        .does(&["runs", "approve", run])
        .exits(2)
        .says(&["does not wait for approval"]);
}

#[test]
fn a_folder_that_is_watched_is_built_again_on_save_but_not_for_what_is_ignored() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.file(".dockerignore", "ignored\n");
    careen.steps(&sh("one", "cat note", ""));
    careen.file("note", "first");
    let watching = careen.start(&["watch", "."]);
    let runs = || {
        careen
            .json(&["runs", "list"])
            .as_array()
            .map_or(0, Vec::len)
    };
    let has = |count| {
        careen.until("a run has ended", |careen| {
            runs() == count && careen.latest()["ended_at"] != Value::Null
        });
    };
    has(1);
    assert_eq!(careen.log("one"), "first\n");
    careen.file("ignored/x", "nobody looks");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(runs(), 1, "what is ignored starts nothing");
    careen.file("note", "second");
    has(2);
    assert_eq!(careen.log("one"), "second\n");
    watching.interrupt();
    let ended = watching.end().exits(0);
    assert!(ended.stderr.contains("note was saved"), "{}", ended.stderr);
}

#[test]
fn a_watched_folder_that_holds_its_own_database_does_not_start_itself() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    let database = careen.path("context/careen.db");
    careen.set("CAREEN_DB", &database.to_string_lossy());
    careen.steps(&sh("one", "ls -A", ""));
    let watching = careen.start(&["watch", "."]);
    let runs = || {
        careen
            .json(&["runs", "list"])
            .as_array()
            .map_or(0, Vec::len)
    };
    careen.until("a run has ended", |careen| {
        runs() == 1 && careen.json(&["runs", "show", "latest"])["ended_at"] != Value::Null
    });
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(runs(), 1);
    assert_eq!(careen.log("one"), "acb.yaml\n", "nothing of careen's own");
    watching.interrupt();
    watching.end().exits(0);
}

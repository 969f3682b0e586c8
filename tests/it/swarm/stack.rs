//! `deploy/stack.yml` on a real Swarm of three nodes, which `./dev swarm up` brings up, and the verbs to trouble it.

use std::{
    cell::Cell,
    collections::BTreeSet,
    fs::read_to_string,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use chrono::NaiveDateTime;
use serde_json::{Value, json};

use crate::{careens::Careen, compose::build_of};

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy");
/// The careen of these tests.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_careen");
const SECRETS: [&str; 4] = [
    "careen_db",
    "careen_key",
    "careen_postgres_password",
    "careen_registry_users",
];
/// The user `careen` of the registry, with the password `secret`, as `htpasswd -nbB` says it.
const USERS: &str = "careen:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
/// The service that follows the load, where there is one.
pub const SCALER: &str = "careen_autoscale";
/// How long anything may take: lost runs wait for their leases first.
const PATIENCE: Duration = Duration::from_secs(400);

/// A node of the Swarm: a container of this machine's engine, and its address.
pub struct Node {
    container: String,
    address: String,
}

impl Node {
    pub fn docker(&self, words: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command
            .args(["exec", "-i", &self.container, "docker"])
            .args(words);
        command
    }

    /// Says what a docker command says on this node; nothing when it fails.
    pub fn says(&self, words: &[&str]) -> String {
        let ran = self.docker(words).output().expect("docker");
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    }

    /// What the processes of a service have said.
    pub fn logs(&self, service: &str) -> String {
        let ran = self.docker(&["service", "logs", service]).output();
        let ran = ran.expect("docker");
        [ran.stdout, ran.stderr]
            .map(|said| String::from_utf8_lossy(&said).into_owned())
            .concat()
    }
}

/// Does something to a container of this machine's engine.
fn docker(words: &[&str]) {
    let ran = Command::new("docker").args(words).output().expect("docker");
    assert!(
        ran.status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// The stack, deployed.
pub struct Stack {
    pub nodes: Vec<Node>,
    pub image: String,
    builder: Careen,
    token: String,
    /// The node whose server answered last: those that are gone cost a wait.
    answering: Cell<usize>,
}

impl Stack {
    /// Deploys it, of an older careen if `CAREEN_TEST_OLDER` names that program; `None`, said aloud, where there is no
    /// Swarm.
    pub fn deploy() -> Option<Stack> {
        let folder = std::env::var("CAREEN_DEV_DIR").map(PathBuf::from);
        let folder = folder.unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/.dev").into());
        let known = read_to_string(folder.join("swarm")).unwrap_or_default();
        if known.is_empty() || std::env::var_os("CAREEN_TEST_ALL").is_none() {
            println!(
                "skipped: CAREEN_TEST_ALL is not set, or no Swarm; `./dev swarm up` brings it up"
            );
            return None;
        }
        let node = |line: &str| {
            let (container, address) = line.split_once(' ').expect("a name and an address");
            Node {
                container: container.to_owned(),
                address: address.to_owned(),
            }
        };
        let mut stack = Stack {
            nodes: known.lines().map(node).collect(),
            image: String::new(),
            builder: Careen::on_docker().expect("an engine"),
            token: String::new(),
            answering: Cell::new(0),
        };
        let older = std::env::var("CAREEN_TEST_OLDER");
        stack.image = stack.build("swarm", older.as_deref().unwrap_or(PROGRAM));
        stack.clear();
        stack.make_secrets();
        stack.start();
        Some(stack)
    }

    /// Makes an image of a program, with a name of its own, and brings it to all nodes.
    pub fn build(&mut self, name: &str, program: &str) -> String {
        let image = self.builder.image(name);
        build_of(&self.builder, &image, program);
        self.load(&image);
        image
    }

    fn load(&self, image: &str) {
        for node in &self.nodes {
            let mut save = Command::new("docker")
                .args(["save", image])
                .stdout(Stdio::piped())
                .spawn()
                .expect("docker");
            let archive = save.stdout.take().expect("an archive");
            assert!(
                node.docker(&["load", "-q"])
                    .stdin(archive)
                    .output()
                    .expect("docker")
                    .status
                    .success()
            );
            save.wait().expect("its end");
        }
    }

    fn make_secrets(&self) {
        let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
        let address = "postgres://careen:secret@postgres/careen";
        let texts = [address, key, "secret", USERS];
        for (name, text) in SECRETS.iter().zip(texts) {
            let mut made = self.nodes[0].docker(&["secret", "create", name, "-"]);
            let mut made = made
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .expect("docker");
            let mut pipe = made.stdin.take().expect("a pipe");
            std::io::Write::write_all(&mut pipe, text.as_bytes()).expect("written");
            drop(pipe);
            assert!(made.wait().expect("its end").success());
        }
    }

    /// Has the Swarm make the stack as it should be, of the present image.
    pub fn apply(&self) {
        // The stack names a file beside it.
        docker(&["cp", DEPLOY, &format!("{}:/", self.nodes[0].container)]);
        let mut deploy = Command::new("docker");
        deploy.args(["exec", "-i", "-e", &format!("CAREEN_IMAGE={}", self.image)]);
        // Nodes in containers have no IPVS.
        for setting in ["CAREEN_ENDPOINT=dnsrr", "CAREEN_PORT_MODE=host"] {
            deploy.args(["-e", setting]);
        }
        deploy.arg(&self.nodes[0].container);
        deploy.args([
            "docker",
            "stack",
            "deploy",
            "-c",
            "/deploy/stack.yml",
            "careen",
        ]);
        let deployed = deploy.output().expect("docker");
        assert!(
            deployed.status.success(),
            "{}",
            String::from_utf8_lossy(&deployed.stderr)
        );
    }

    fn start(&mut self) {
        self.apply();
        self.until("a token is made", |stack| {
            stack.token = stack.in_server(&[
                "careen", "token", "create", "me", "--role", "admin", "--quiet",
            ]);
            !stack.token.is_empty()
        });
        self.until("three workers are here", |stack| stack.here() == 3);
    }

    /// What a command says in the first server that there is.
    pub fn in_server(&self, words: &[&str]) -> String {
        let said = self.nodes.iter().map(|node| {
            let server = node.says(&[
                "ps",
                "-q",
                "-f",
                "name=careen_server",
                "-f",
                "health=healthy",
            ]);
            match server.lines().next() {
                Some(server) => node.says(&[&["exec", server], words].concat()),
                None => String::new(),
            }
        });
        said.into_iter()
            .find(|said| !said.is_empty())
            .unwrap_or_default()
    }

    pub fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Stack) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < PATIENCE, "still not: {what}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Asks whichever server answers, and again until one does.
    fn asks(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            for offset in 0..self.nodes.len() {
                let number = (self.answering.get() + offset) % self.nodes.len();
                let node = &self.nodes[number];
                let url = format!("http://{}:7420/api/v1/{path}", node.address);
                let mut curl = Command::new("curl");
                curl.args([
                    "-sf",
                    "--connect-timeout",
                    "2",
                    "-m",
                    "10",
                    "-X",
                    method,
                    "-H",
                ])
                .arg(format!("Authorization: Bearer {}", self.token));
                if let Some(body) = body {
                    curl.args([
                        "-H",
                        "Content-Type: application/json",
                        "-d",
                        &body.to_string(),
                    ]);
                }
                let ran = curl.arg(url).output().expect("curl");
                if let (true, Ok(value)) =
                    (ran.status.success(), serde_json::from_slice(&ran.stdout))
                {
                    self.answering.set(number);
                    return value;
                }
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        panic!("no server answers {path}");
    }

    pub fn workers(&self) -> Vec<Value> {
        self.asks("GET", "workers", None)
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// How many workers were heard of lately and take runs.
    pub fn here(&self) -> usize {
        let is_here =
            |it: &&Value| it["silent_seconds"].as_u64() < Some(15) && it["problem"].is_null();
        self.workers().iter().filter(is_here).count()
    }

    pub fn queue(&self, script: &str) -> String {
        self.queue_file(&format!(
            "steps: [{{id: s, cmd: 'busybox sh -c \"{script}\"'}}]"
        ))
    }

    pub fn queue_file(&self, text: &str) -> String {
        let run = self.asks("POST", "runs", Some(&json!({ "text": text })));
        run["id"].as_str().expect("an id").to_owned()
    }

    pub fn run(&self, run: &str) -> Value {
        self.asks("GET", &format!("runs/{run}"), None)
    }

    pub fn log(&self, run: &str) -> Vec<String> {
        let lines = self.lines(run).into_iter();
        lines.map(|(_, text)| text).collect()
    }

    /// The lines of a run with the generation that wrote each.
    fn lines(&self, run: &str) -> Vec<(u64, String)> {
        let page = self.asks("GET", &format!("runs/{run}/logs"), None);
        let lines = page["lines"].as_array().cloned().unwrap_or_default();
        let line = |line: &Value| {
            let generation = line["generation"].as_u64().unwrap_or(1);
            Some((generation, line["text"].as_str()?.to_owned()))
        };
        lines.iter().filter_map(line).collect()
    }

    /// Queues runs, lets something happen in mid-flight, and asserts that each ends once and well.
    pub fn outlives(&mut self, count: usize, trouble: impl FnOnce(&mut Stack)) -> Vec<Value> {
        let runs: Vec<String> = (0..count)
            .map(|n| self.queue(&format!("echo run {n}; sleep {}", 1 + n % 3)))
            .collect();
        self.until("some are under way", |stack| {
            !under_way(&stack.workers()).is_empty()
        });
        trouble(self);
        self.ended_well(&runs)
    }

    /// Asserts that each of these runs ends once and well, the first of them as `run 0`.
    pub fn ended_well(&mut self, runs: &[String]) -> Vec<Value> {
        let mut ended = Vec::new();
        for (number, run) in runs.iter().enumerate() {
            self.until("it has ended", |stack| {
                !stack.run(run)["ended_at"].is_null()
            });
            let row = self.run(run);
            assert_eq!(row["status"], "succeeded", "{row}");
            assert!(row["generation"].as_u64() <= Some(2), "{row}");
            assert_eq!(row["attempts"].as_array().map(Vec::len), Some(1), "{row}");
            // Lines of a generation that ended with its worker stay: someone may have seen them.
            let log = self.lines(run);
            let present = row["generation"].as_u64().unwrap_or(1);
            let line = |generation| (generation, format!("run {number}"));
            let (whole, began_silent): (Vec<_>, _) =
                ((1..=present).map(line).collect(), vec![line(present)]);
            assert!(
                log == whole || log == began_silent,
                "{log:?} of {row}, whole {whole:?}"
            );
            ended.push(row);
        }
        ended
    }

    /// Has a timer start a task every minute from now on.
    pub fn ticks(&self) {
        let timer = json!({ "name": "each", "schedule": "* * * * *", "catch_up": "all" });
        let yaml = "steps: [{id: s, cmd: busybox true}]";
        let definition = json!({ "yaml": yaml, "triggers": { "timer": [timer] } });
        let body = json!({ "definition": definition });
        self.asks("PUT", "tasks/tick", Some(&body));
    }

    /// Asserts that the timer has started one run for each minute, whatever happened meanwhile.
    pub fn has_ticked(&self) {
        let runs = self.asks("GET", "runs?task=tick&limit=500", None);
        let runs = runs["items"].as_array().cloned().unwrap_or_default();
        let minute = |run: &Value| {
            let at = run["cause"].as_str()?.strip_prefix("timer each at ")?;
            let at = NaiveDateTime::parse_from_str(at, "%Y-%m-%d %H:%M UTC").ok()?;
            Some(at.and_utc().timestamp() / 60)
        };
        let mut minutes: Vec<i64> = runs.iter().filter_map(minute).collect();
        minutes.sort_unstable();
        assert!(minutes.len() > 3, "{runs:?}");
        println!("the timer started {} runs", minutes.len());
        let whole: Vec<i64> = (minutes[0]..).take(minutes.len()).collect();
        assert_eq!(minutes, whole, "each minute has one run");
    }

    /// Leaves runs to the worker of one node.
    pub fn leaves_runs_to(&mut self, name: &str) {
        let mut others = self.workers();
        others.retain(|it| it["name"] != name);
        for other in &others {
            let other = other["name"].as_str().expect("a name");
            self.in_server(&["careen", "worker", "drain", other, "--json"]);
        }
        self.until("the others take no runs", |stack| {
            let workers = stack.workers();
            let idle = workers.iter().filter(|it| it["state"] == "draining");
            idle.count() == others.len()
        });
    }

    /// Gives the user of the database another password.
    pub fn changes_password(&self, from: &str, to: &str) {
        let node = &self.nodes[2];
        let database = node.says(&["ps", "-q", "-f", "name=careen_postgres"]);
        let sql = format!("ALTER USER careen PASSWORD '{to}'");
        let words = ["psql", "-h", "127.0.0.1", "-U", "careen", "-c", &sql];
        let password = format!("PGPASSWORD={from}");
        let changed = node.says(&[&["exec", "-e", &password, &database], &words[..]].concat());
        assert_eq!(changed, "ALTER ROLE");
    }

    /// What the registry of the stack says of a path: status and text.
    pub fn registry_says(&self, user: &str, path: &str) -> (String, String) {
        // It is where the database is, on the third node.
        let url = format!("http://{}:5000/v2/{path}", self.nodes[2].address);
        let mut curl = Command::new("curl");
        curl.args(["-s", "-m", "10", "-w", "\n%{http_code}", "-u", user, &url]);
        let said = curl.output().expect("curl").stdout;
        let said = String::from_utf8_lossy(&said);
        let (text, status) = said.rsplit_once('\n').unwrap_or_default();
        (status.to_owned(), text.trim().to_owned())
    }

    pub fn kill(&mut self, node: usize) {
        docker(&["kill", &self.nodes[node].container]);
    }

    pub fn bring_back(&mut self, node: usize) {
        docker(&["start", &self.nodes[node].container]);
        self.until("three workers are here", |stack| stack.here() == 3);
    }

    fn clear(&self) {
        let manager = &self.nodes[0];
        manager.says(&["service", "rm", SCALER]);
        manager.says(&["stack", "rm", "careen"]);
        for node in &self.nodes {
            let begun = Instant::now();
            while !node.says(&["ps", "-q", "-f", "name=careen_"]).is_empty()
                && begun.elapsed() < PATIENCE
            {
                std::thread::sleep(Duration::from_millis(500));
            }
            for volume in ["postgres", "registry", "worker"] {
                node.says(&["volume", "rm", &format!("careen_{volume}")]);
            }
        }
        manager.says(&[&["secret", "rm"], &SECRETS[..]].concat());
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!(
                "{}",
                self.nodes[0].says(&["service", "logs", "--tail", "20", "careen_worker"])
            );
            println!(
                "{}",
                self.nodes[0].says(&["service", "logs", "--tail", "20", "careen_server"])
            );
        }
        for node in &self.nodes {
            let _ = Command::new("docker")
                .args(["start", &node.container])
                .output();
        }
        self.clear();
    }
}

/// The workers that drive runs.
pub fn under_way(workers: &[Value]) -> BTreeSet<String> {
    let busy = workers
        .iter()
        .filter(|it| it["runs"].as_array().is_some_and(|runs| !runs.is_empty()));
    busy.filter_map(|it| it["name"].as_str().map(str::to_owned))
        .collect()
}

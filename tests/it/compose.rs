//! `docker-compose.yml` for real: everything comes up, a run goes through it, and a worker dies while it runs.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

use crate::{careens::Careen, cli::sh};

/// The folder with `docker-compose.yml` and `Dockerfile`.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// What the program needs and the smallest base images lack.
const LIBRARIES: [&str; 4] = ["libssl.so", "libcrypto.so", "libz.so", "libgcc_s.so"];
/// Lines of the step that a worker dies in: more than it takes to find the worker, at ten a second.
const LINES: usize = 120;

/// The services of this test alone.
struct Services {
    project: String,
    variables: Vec<(&'static str, String)>,
}

impl Services {
    /// Starts all of them; `None`, said aloud, where there is no Compose.
    fn up(image: &str) -> Option<Services> {
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let services = Services {
            project: format!("careentest{}", &unique[..12]),
            variables: vec![
                ("CAREEN_IMAGE", image.to_owned()),
                ("CAREEN_PORT", free_port()),
                ("CAREEN_REGISTRY_PORT", free_port()),
                ("CAREEN_LEASE", "4".to_owned()),
            ],
        };
        let version = Command::new(compose()[0])
            .args(&compose()[1..])
            .arg("version")
            .output();
        if !version.is_ok_and(|it| it.status.success()) {
            println!("skipped: no docker-compose");
            return None;
        }
        services.does(&["up", "--detach", "--no-build"]);
        Some(services)
    }

    fn does(&self, words: &[&str]) -> String {
        let ran = self.tries(words);
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{words:?}: {said}");
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    }

    fn tries(&self, words: &[&str]) -> Output {
        let file = Path::new(ROOT).join("docker-compose.yml");
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        Command::new(compose()[0])
            .args(&compose()[1..])
            .args(["-p", &self.project, "-f"])
            .arg(file)
            .args(words)
            .envs(variables)
            .output()
            .expect("compose")
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.variables[1].1)
    }

    /// Says whether each service that has a health check is well.
    fn are_healthy(&self) -> bool {
        let listed = self.does(&["ps"]);
        !listed.contains("starting") && listed.matches("(healthy)").count() == 5
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = self.tries(&["logs", "--no-color", "--tail=30"]);
            println!("{}", String::from_utf8_lossy(&logs.stdout));
        }
        self.tries(&["down", "--volumes", "--timeout", "1"]);
    }
}

/// The words that call Compose: the plugin of docker, or the older program.
fn compose() -> &'static [&'static str] {
    let plugin = Command::new("docker").args(["compose", "version"]).output();
    if plugin.is_ok_and(|it| it.status.success()) {
        &["docker", "compose"]
    } else {
        &["docker-compose"]
    }
}

fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener
        .local_addr()
        .expect("an address")
        .port()
        .to_string()
}

/// Builds the image as the Dockerfile says, around the program that is here already; with careen itself.
fn build(careen: &Careen, image: &str) {
    build_of(careen, image, env!("CARGO_BIN_EXE_careen"));
}

/// Builds the image around a program.
pub fn build_of(careen: &Careen, image: &str, program: &str) {
    let context = careen.path("context");
    fs::create_dir_all(context.join("libraries")).unwrap();
    // Most of a test's program is for debuggers.
    let stripped = Command::new("strip")
        .arg("-o")
        .arg(context.join("careen"))
        .arg(program)
        .status();
    assert!(stripped.unwrap().success());
    let linked = Command::new("ldd").arg(program).output().unwrap().stdout;
    for line in String::from_utf8_lossy(&linked).lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(path)) = (words.next(), words.nth(1)) else {
            continue;
        };
        if LIBRARIES.iter().any(|it| name.starts_with(it)) {
            fs::copy(path, context.join("libraries").join(name)).unwrap();
        }
    }
    fs::copy(
        Path::new(ROOT).join("Dockerfile"),
        context.join("Dockerfile"),
    )
    .unwrap();
    let arguments = ["--build-arg", "PROGRAM=made", "--build-arg", "PACKAGES="];
    let words = [&["build", "-t", image][..], &arguments, &["."]].concat();
    careen.does(&words).exits(0);
}

#[test]
fn all_of_compose_comes_up_and_a_run_goes_on_when_its_worker_is_killed() {
    let Some(mut builder) = Careen::on_docker() else {
        return;
    };
    let image = builder.image("compose");
    build(&builder, &image);
    let Some(services) = Services::up(&image) else {
        return;
    };
    builder.until("all services are well", |_| services.are_healthy());
    let make = [
        "exec", "-T", "server", "careen", "token", "create", "me", "--role", "admin", "--quiet",
    ];
    let mut client = Careen::new();
    client.set("CAREEN_SERVER", &services.address());
    client.set("CAREEN_TOKEN", &services.does(&make));
    let script = format!("cat note; for i in $(seq 1 {LINES}); do echo line $i; sleep 0.1; done");
    let after = sh("after", "cat note", "    when: [count]\n");
    client.steps(&format!("{}{after}", sh("count", &script, "")));
    client.file("note", "sent\n");
    let running = client.start(&["run"]);
    client.until("it counts", |client| {
        client
            .does(&["runs", "logs", "latest"])
            .stdout
            .contains("line 5\n")
    });
    let shown = client.json(&["runs", "show", "latest"]);
    let worker = shown["owner"].as_str().expect("a worker").to_owned();
    services.does(&["kill", &worker]);
    let ran = running.end().exits(0);
    let lines = (1..=LINES).map(|number| format!("count | line {number}\n"));
    let counted: String = lines.collect();
    assert_eq!(ran.stdout, format!("count | sent\n{counted}after | sent\n"));
    let shown = client.json(&["runs", "show", "latest"]);
    assert_eq!(
        (&shown["status"], &shown["generation"]),
        (&"succeeded".into(), &Value::from(1))
    );
}

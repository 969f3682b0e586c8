//! Secrets reach the container and nothing else: no output, no log, no byte of the database.

use std::{fs, path::Path};

use crate::careens::{Careen, Ran};

/// Long enough to be no word of anything else.
const SECRET: &str = "hush-7f3a9c41-never-tell";

/// What `rev` makes of it: proof that the container had it.
fn reversed() -> String {
    SECRET.chars().rev().collect()
}

/// A task that says its secret whole, in pieces, among other things, and backwards.
const TELLING: &str = r#"version: v1.1.0
steps:
  - id: tell
    env: ['TOKEN={{.Values.token}}']
    cmd: |
      busybox sh -c 'sleep 1; echo $TOKEN; printf %s "${TOKEN%never*}"; sleep 0.3; echo "never-tell"; echo "x=$TOKEN;" >&2; echo $TOKEN | base64; echo $TOKEN | rev'
  - id: fail
    cmd: busybox sh -c 'exit 3' {{.Values.token}}
    ignoreErrors: true
"#;

/// Asserts that the secret is nowhere below a folder.
fn assert_nowhere(folder: &Path) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            assert_nowhere(&path);
            continue;
        }
        let bytes = fs::read(&path).unwrap_or_default();
        let found = bytes
            .windows(SECRET.len())
            .any(|part| part == SECRET.as_bytes());
        assert!(!found, "the secret is in {}", path.display());
    }
}

/// Asserts that a run had the secret and told nobody.
fn assert_kept(careen: &Careen, ran: &Ran) {
    let log = careen.log("tell");
    for text in [&ran.stdout, &ran.stderr, &log] {
        assert!(!text.contains(SECRET), "{text}");
        assert!(!text.contains("aHVzaC03"), "as base64: {text}");
    }
    assert!(ran.stdout.contains(&reversed()), "{}", ran.stdout);
    let hidden = |line: &str| log.lines().filter(|it| *it == line).count();
    assert_eq!((hidden("***"), hidden("x=***;")), (2, 1), "{log}");
    let shown = careen.does(&["runs", "show", "latest", "--json", "--events"]);
    assert!(!shown.stdout.contains(SECRET), "{}", shown.stdout);
    assert_nowhere(&careen.path("data"));
}

#[test]
fn a_secret_value_reaches_the_container_and_nothing_else() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.task(TELLING);
    let given = format!("token={SECRET}");
    let ran = careen.run(&["--set-secret", &given]).exits(0);
    assert_kept(&careen, &ran);
    let again = careen.does(&["runs", "rerun"]).exits(0);
    assert_kept(&careen, &again);

    let running = careen.start_run(&["--set-secret", &given]);
    careen.until("tell runs", |careen| {
        !careen.unfinished().is_empty() && careen.events() > 1
    });
    running.kill();
    let resumed = careen.does(&["runs", "resume"]).exits(0);
    assert_kept(&careen, &resumed);
}

#[test]
fn a_secret_value_can_come_from_a_variable_or_a_file() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    careen.task(TELLING);
    careen
        .run(&["--set-secret", "token"])
        .exits(2)
        .says(&["token"]);
    careen.set("token", SECRET);
    let ran = careen.run(&["--set-secret", "token"]).exits(0);
    assert_kept(&careen, &ran);
    fs::write(careen.path("token"), format!("{SECRET}\n")).unwrap();
    let given = format!("token=@{}", careen.path("token").display());
    let ran = careen.run(&["--set-secret", &given]).exits(0);
    assert_kept(&careen, &ran);
}

#[test]
fn a_declared_secret_is_asked_for_and_taken_from_where_it_is_said_to_be() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    let declared = "secrets:\n  - id: token\n    keyvault: https://v.example.com/secrets/token\n";
    careen.task(
        &TELLING
            .replace(".Values.", ".Secrets.")
            .replace("steps:", &format!("{declared}steps:")),
    );
    careen
        .run(&[])
        .exits(2)
        .says(&["token", "--secret-from token="]);
    careen.set("PASSWORD", SECRET);
    let ran = careen
        .run(&["--secret-from", "token=env:PASSWORD"])
        .exits(0);
    assert_kept(&careen, &ran);
    let again = careen.does(&["runs", "rerun"]).exits(0);
    assert_kept(&careen, &again);
}

#[test]
fn what_the_engine_says_of_a_secret_is_hidden_too() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    let given = format!("token={SECRET}");
    for more in ["", "    pull: true\n"] {
        careen.steps(&format!(
            "  - id: odd\n    cmd: 127.0.0.1:1/{{{{.Values.token}}}} true\n{more}"
        ));
        let ran = careen
            .run(&["--set-secret", &given])
            .exits(3)
            .says(&["***"]);
        assert!(!ran.stderr.contains(SECRET), "{}", ran.stderr);
        assert_nowhere(&careen.path("data"));
    }
}

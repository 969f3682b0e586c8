//! Connections on the command line and in runs: kept secret, matched by repository, and explained when they fail.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::json;

use crate::{
    careens::Careen,
    cli::sh,
    registries::{Kind, PASSWORD, Server, USER},
};

fn add(careen: &Careen, name: &str, server: &str, more: &[&str]) {
    let words = [
        "connection",
        "add",
        name,
        "--server",
        server,
        "-u",
        USER,
        "--password-stdin",
    ];
    careen.told(&[&words, more].concat(), PASSWORD).exits(0);
}

/// Says whether bytes are in any file below a folder.
fn is_anywhere(folder: &Path, wanted: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_anywhere(&path, wanted);
        }
        let bytes = fs::read(&path).unwrap_or_default();
        bytes
            .windows(wanted.len())
            .any(|it| it == wanted.as_bytes())
    })
}

#[test]
fn a_connection_is_kept_and_shown_without_its_password() {
    let mut careen = Careen::new();
    careen.set("TOKEN", PASSWORD);
    add(
        &careen,
        "ci",
        "https://R.example.com/",
        &["--repository", "team/"],
    );
    let from_variable = [
        "-s",
        "docker.io",
        "-u",
        "me",
        "--password-env",
        "TOKEN",
        "--pull-only",
    ];
    careen
        .does(&[&["connection", "add", "hub"][..], &from_variable].concat())
        .exits(0);
    let shown = [
        careen.does(&["connection", "list"]).exits(0).stdout,
        careen.does(&["connection", "show", "ci"]).exits(0).stdout,
        careen
            .does(&["connection", "list", "--json"])
            .exits(0)
            .stdout,
    ];
    for text in &shown {
        assert!(
            text.contains("r.example.com") && !text.contains(PASSWORD),
            "{text}"
        );
    }
    let hub = careen.json(&["connection", "show", "hub"]);
    assert_eq!(
        (&hub["pullOnly"], &hub["password"]),
        (&json!(true), &json!("sealed"))
    );
    assert!(!is_anywhere(&careen.path("data"), PASSWORD));
    careen
        .does(&["connection", "update", "hub", "--pull-only", "false"])
        .exits(0);
    assert_eq!(
        careen.json(&["connection", "show", "hub"])["pullOnly"],
        false
    );
    careen.does(&["connection", "remove", "hub"]).exits(0);
    let left = careen.does(&["connection", "list", "-q"]).exits(0);
    assert_eq!(left.stdout, "ci\n");
}

#[test]
fn what_is_wrong_with_a_connection_is_said_with_what_to_try() {
    let careen = Careen::new();
    add(&careen, "ci", "r.example.com", &[]);
    let cases: [(&[&str], &[&str]); 8] = [
        (
            &["add", "ci", "-s", "r.io", "-u", "a", "--password-stdin"],
            &["ci already", "connection update ci"],
        ),
        (
            &["add", "x", "-s", "r.io/team", "-u", "a", "--password-stdin"],
            &["no host", "--repository"],
        ),
        (
            &["add", "a b", "-s", "r.io", "-u", "a", "--password-stdin"],
            &["no name for a connection"],
        ),
        (
            &["add", "x", "-s", "r.io", "--password-stdin"],
            &["no user name", "--username"],
        ),
        (
            &["add", "x", "-s", "r.io", "-u", "a"],
            &["nobody to ask", "standard input"],
        ),
        (
            &[
                "add",
                "x",
                "-s",
                "r.io",
                "-u",
                "a",
                "--password-env",
                "NO_SUCH",
            ],
            &["NO_SUCH"],
        ),
        (
            &["show", "nobody"],
            &["no connection nobody", "connection list"],
        ),
        (&["test", "A B"], &["names no repository"]),
    ];
    for (words, says) in cases {
        let words = [&["connection"], words].concat();
        careen.told(&words, PASSWORD).exits(2).says(says);
    }
}

#[test]
fn a_test_says_what_a_credential_may_do_and_what_is_missing() {
    let Some(server) = Server::start(Kind::Password) else {
        return;
    };
    let careen = Careen::new();
    let place = format!("{}/team/app", server.host);
    let none = careen.does(&["connection", "test", &place]).exits(1);
    let help = format!("careen connection add NAME --server {}", server.host);
    for words in ["wants a login to pull team/app", "credential  none", &help] {
        assert!(none.stdout.contains(words), "{words} in {}", none.stdout);
    }
    add(&careen, "ci", &server.host, &[]);
    let good = careen.json(&["connection", "test", &place, "--for", "push"]);
    assert_eq!(good["ok"], true, "{good:#}");
    let answers: Vec<_> = good["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["question"].as_str().unwrap(),
                it["answer"].as_bool().unwrap(),
            )
        })
        .collect();
    let plain_http = [("reachable", true), ("tls", false), ("login", true)];
    let rights = [("pull", true), ("push", true), ("delete", true)];
    assert_eq!(answers, [plain_http, rights].concat());
    let words = ["connection", "update", "ci", "--password-stdin"];
    careen.told(&words, "looking glass").exits(0);
    let bad = careen.does(&["connection", "test", "ci"]).exits(1);
    assert!(
        bad.stdout.contains("refuses the login of alice"),
        "{}",
        bad.stdout
    );
    assert!(
        bad.stdout.contains("careen connection update"),
        "{}",
        bad.stdout
    );
    let nobody = careen
        .does(&["connection", "test", "127.0.0.1:1/x"])
        .exits(3);
    assert!(
        nobody.stdout.contains("cannot be reached"),
        "{}",
        nobody.stdout
    );
}

#[test]
fn a_private_authority_is_named_on_the_connection() {
    let Some(server) = Server::start(Kind::Tls) else {
        return;
    };
    let careen = Careen::new();
    let place = format!("{}/app", server.host);
    let unknown = careen.does(&["connection", "test", &place]).exits(1);
    assert!(unknown.stdout.contains("--ca-file"), "{}", unknown.stdout);
    let file = careen.path("ca.pem");
    fs::write(&file, server.authority.as_ref().unwrap()).unwrap();
    add(
        &careen,
        "tls",
        &server.host,
        &["--ca-file", file.to_str().unwrap()],
    );
    let known = careen.does(&["connection", "test", &place]).exits(0);
    assert!(known.stdout.contains("tls         yes"), "{}", known.stdout);
}

#[test]
fn a_login_can_come_from_the_docker_clients_helper_program() {
    let Some(server) = Server::start(Kind::Password) else {
        return;
    };
    let mut careen = Careen::new();
    let programs = careen.path("programs");
    fs::create_dir_all(careen.path("docker")).unwrap();
    fs::create_dir_all(&programs).unwrap();
    let program = programs.join("docker-credential-test");
    let answer = format!(r#"{{"ServerURL":"x","Username":"{USER}","Secret":"{PASSWORD}"}}"#);
    let script = format!(
        "#!/bin/sh\nread host\n[ \"$host\" = {} ] && echo '{answer}' || {{ echo 'credentials not found in native keychain'; exit 1; }}\n",
        server.host
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let config = json!({"credHelpers": {server.host.clone(): "test"}, "credsStore": "test"});
    fs::write(careen.path("docker/config.json"), config.to_string()).unwrap();
    let path = std::env::var("PATH").unwrap();
    careen.set("PATH", &format!("{}:{path}", programs.display()));
    let place = format!("{}/app", server.host);
    let words = ["connection", "test", &place, "--for", "push"];
    let asked = careen.does(&words).exits(0);
    assert!(
        asked
            .stdout
            .contains("docker client's own login (user alice)"),
        "{}",
        asked.stdout
    );
    let named = [
        "connection",
        "add",
        "helped",
        "-s",
        &server.host,
        "--docker-config",
    ];
    careen.does(&named).exits(0);
    let asked = careen.does(&words).exits(0);
    assert!(
        asked.stdout.contains("connection helped"),
        "{}",
        asked.stdout
    );
}

/// A careen on the engine, and a registry with a password.
fn with_registry() -> Option<(Careen, Server)> {
    let careen = Careen::on_docker()?;
    let server = Server::start(Kind::Password)?;
    careen.file("Dockerfile", "FROM busybox\nRUN echo made > /made\n");
    Some((careen, server))
}

fn build_and_push(careen: &Careen, image: &str) {
    careen.steps(&format!(
        "  - id: make\n    build: -t {image} .\n  - id: send\n    push: ['{image}']\n"
    ));
}

#[test]
fn a_run_pushes_and_pulls_with_a_connection() {
    let Some((mut careen, server)) = with_registry() else {
        return;
    };
    let image = format!("{}/{}", server.host, careen.image("pushed"));
    careen.keep_track(&image);
    build_and_push(&careen, &image);
    add(&careen, "ci", &server.host, &[]);
    careen.run(&[]).exits(0);
    careen.remove_image(&image);
    careen.steps(&format!("  - id: use\n    cmd: {image} cat /made\n"));
    let ran = careen.run(&[]).exits(0);
    assert_eq!(ran.stdout, "use | made\n");
    careen.remove_image(&image);
    careen.does(&["connection", "remove", "ci"]).exits(0);
    let says = [
        "without a login",
        "wants a login to pull",
        "careen connection add NAME",
    ];
    careen.run(&[]).exits(3).says(&says);
}

#[test]
fn one_step_pushes_to_several_registries() {
    let (Some((mut careen, guarded)), Some(open)) = (with_registry(), Server::start(Kind::Open))
    else {
        return;
    };
    let name = careen.image("spread");
    let images = [&guarded, &open].map(|it| format!("{}/{name}", it.host));
    images.iter().for_each(|it| careen.keep_track(it));
    let [one, two] = &images;
    careen.steps(&format!(
        "  - id: make\n    build: -t {one} -t {two} .\n  - id: send\n    push: ['{one}', '{two}']\n"
    ));
    add(&careen, "ci", &guarded.host, &[]);
    careen.run(&[]).exits(0);
    for image in &images {
        let copied = careen.json(&["image", "copy", image, &format!("{}/again", open.host)]);
        let digest = copied[0]["digest"].as_str().unwrap();
        let log = careen.latest().to_string();
        assert!(
            log.contains(digest),
            "{digest} of {image} is recorded in {log}"
        );
    }
}

#[test]
fn a_push_that_is_refused_ends_in_what_is_missing_and_how_to_mend_it() {
    let Some((mut careen, server)) = with_registry() else {
        return;
    };
    let image = format!("{}/{}", server.host, careen.image("refused"));
    careen.keep_track(&image);
    build_and_push(&careen, &image);
    let says = [
        &image,
        "failed to push",
        "without a login",
        "careen connection add NAME",
    ];
    careen.run(&[]).exits(3).says(&says);
    add(&careen, "reader", &server.host, &["--pull-only"]);
    let says = ["connection reader", "for pulls only", "--pull-only false"];
    careen.run(&[]).exits(3).says(&says);
    careen
        .does(&["connection", "update", "reader", "--pull-only", "false"])
        .exits(0);
    careen
        .told(
            &["connection", "update", "reader", "--password-stdin"],
            "wrong",
        )
        .exits(0);
    let says = [
        "connection reader",
        "refuses the login of alice",
        "careen connection update",
    ];
    careen.run(&[]).exits(3).says(&says);
}

#[test]
fn steps_see_the_credentials_of_the_registries_that_their_task_names() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    add(&careen, "named", "named.example.com", &[]);
    add(&careen, "other", "other.example.com", &[]);
    careen.steps(&sh("show", "cat $HOME/.docker/config.json", ""));
    let ran = careen.run(&["-r", "named.example.com"]).exits(0);
    assert!(ran.stdout.contains("named.example.com"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("other.example.com"), "{}", ran.stdout);
}

#[test]
fn bases_with_different_credentials_of_one_host_are_both_had() {
    let Some((mut careen, server)) = with_registry() else {
        return;
    };
    let [one, two] =
        ["one", "two"].map(|team| format!("{}/{team}/{}", server.host, careen.image(team)));
    add(&careen, "team-one", &server.host, &["--repository", "one"]);
    add(&careen, "team-two", &server.host, &["--repository", "two"]);
    for image in [&one, &two] {
        careen.keep_track(image);
        let team = image.split('/').nth(1).unwrap();
        careen.file(
            "Dockerfile",
            &format!("FROM busybox\nRUN echo {team} > /{team}\n"),
        );
        build_and_push(&careen, image);
        careen.run(&[]).exits(0);
        careen.remove_image(image);
    }
    let made = careen.image("both");
    let dockerfile =
        format!("FROM {one} AS one\nFROM {two}\nCOPY --from=one /one /one\nRUN cat /one /two\n");
    careen.file("Dockerfile", &dockerfile);
    careen.steps(&format!("  - id: make\n    build: -t {made} .\n"));
    let ran = careen.run(&[]).exits(0);
    let said = "it uses connection team-one (user alice)";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    careen.remove_image(&made);
    for image in [&one, &two] {
        careen.remove_image_if_there(image);
    }
    careen
        .told(
            &["connection", "update", "team-two", "--password-stdin"],
            "wrong",
        )
        .exits(0);
    careen.file("Dockerfile", &format!("{dockerfile}RUN true\n"));
    let says = ["connection team-two", "refuses the login of alice"];
    careen.run(&[]).exits(3).says(&says);
}

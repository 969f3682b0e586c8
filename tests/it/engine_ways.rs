//! The ways to an engine: TLS and SSH, and what is said when a way is barred.

use std::path::Path;

use crate::{
    careens::{Careen, wait_for},
    cli::sh,
    engines::{CLASSIC, CONTAINERD, Engine},
};

/// Sessions that an SSH server allows on one connection by default, and some more.
const MORE_THAN_ONE_CONNECTION_HOLDS: usize = 14;

fn newer() -> Option<Engine> {
    wait_for(Engine::newer(CLASSIC))
}

#[test]
fn a_run_goes_over_tls() {
    for kind in [CLASSIC, CONTAINERD] {
        let Some(careen) = Careen::on_newer(kind) else {
            return;
        };
        careen.file("given.txt", "given\n");
        careen.steps(&sh("one", "cat given.txt; exit 7", ""));
        let ran = careen.run(&[]).exits(1).says(&["exit code 7"]);
        assert_eq!(ran.stdout, "one | given\n");
    }
}

#[test]
fn a_run_goes_over_ssh_however_many_steps_it_has_at_once() {
    let Some(engine) = newer() else {
        return;
    };
    let careen = Careen::on(engine.over_ssh("root"));
    careen.file("given.txt", "given\n");
    let steps = (0..MORE_THAN_ONE_CONNECTION_HOLDS).map(|number| {
        sh(
            &format!("step-{number}"),
            "cat given.txt; sleep 2",
            "    when: ['-']\n",
        )
    });
    careen.steps(&steps.collect::<String>());
    let ran = careen.run(&["--parallel", "20"]).exits(0);
    assert_eq!(ran.stdout.lines().count(), MORE_THAN_ONE_CONNECTION_HOLDS);
}

#[test]
fn an_interrupted_run_over_ssh_leaves_nothing() {
    let Some(engine) = newer() else {
        return;
    };
    let careen = Careen::on(engine.over_ssh("root"));
    careen.steps(&sh("long", "sleep 300", ""));
    let running = careen.start_run(&[]);
    careen.until("it runs", |careen| careen.container("long-1").is_some());
    running.interrupt();
    running.end().exits(130);
}

#[test]
fn an_image_is_built_over_ssh() {
    let Some(engine) = newer() else {
        return;
    };
    let mut careen = Careen::on(engine.over_ssh("root"));
    let image = careen.image("ssh");
    careen.file("Dockerfile", "FROM busybox\nCOPY given.txt /\n");
    careen.file("given.txt", "given\n");
    careen.steps(&format!(
        "  - id: build\n    build: -t {image} .\n  - id: use\n    cmd: {image} cat /given.txt\n"
    ));
    let ran = careen.run(&[]).exits(0);
    assert!(ran.stdout.ends_with("use   | given\n"), "{}", ran.stdout);
}

/// A run that cannot reach its engine, and what it says.
fn barred(engine: Engine, words: &[&str]) {
    let careen = Careen::on(engine);
    careen.steps(&sh("one", "true", ""));
    careen.run(&[]).exits(3).says(words);
}

#[test]
fn a_way_over_ssh_that_is_barred_says_what_to_do() {
    let Some(engine) = newer() else {
        return;
    };
    for (user, words) in [
        ("guest", ["no permission", "docker group in DOCKER_HOST"]),
        ("bare", ["docker: not found", "Install the docker command"]),
        ("lonely", ["no such file", "start it"]),
        ("nobody", ["Permission denied (publickey", "ssh-add"]),
    ] {
        barred(engine.over_ssh(user), &words);
    }
    let mut elsewhere = engine.over_ssh("root");
    elsewhere.set("DOCKER_HOST", "ssh://root@127.0.0.1:1");
    barred(elsewhere, &["Connection refused", "DOCKER_HOST"]);
    let mut unknown = engine.over_ssh("root");
    unknown.set("CAREEN_TEST_SSH_CONFIG", "/dev/null");
    barred(unknown, &["Host key verification failed", "once by hand"]);
    let mut without = engine.over_ssh("root");
    without.set("PATH", "/nowhere");
    barred(without, &["no program ssh", "openssh-client"]);
}

#[test]
fn a_wrong_key_is_not_let_in_over_ssh() {
    let Some(engine) = newer() else {
        return;
    };
    let mut stranger = engine.over_ssh("root");
    let folder = tempfile::tempdir().expect("a folder");
    let own = Path::new(&engine.fact("ssh_program")).join("../config");
    let text = std::fs::read_to_string(own).expect("a configuration");
    let config = folder.path().join("config");
    std::fs::write(&config, text.replace("/ssh/key", "/ssh/wrong-key")).expect("written");
    stranger.set("CAREEN_TEST_SSH_CONFIG", &config.display().to_string());
    barred(stranger, &["Permission denied (publickey", "IdentityFile"]);
}

#[test]
fn a_way_over_tls_that_is_barred_says_what_to_do() {
    let Some(engine) = newer() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let own = Path::new(&engine.fact("certificates")).to_owned();
    let with = |name: &str, files: &[(&str, String)]| {
        let place = folder.path().join(name);
        std::fs::create_dir(&place).expect("a folder");
        for (file, text) in files {
            std::fs::write(place.join(file), text).expect("written");
        }
        let mut engine = engine.clone();
        engine.set("DOCKER_CERT_PATH", &place.display().to_string());
        engine
    };
    let file = |name: &str| std::fs::read_to_string(own.join(name)).expect("a file");
    let stranger = rcgen::generate_simple_self_signed(["stranger".to_string()]).expect("a key");
    let other = stranger.cert.pem();
    let keys = |certificate: String, key: String| [("cert.pem", certificate), ("key.pem", key)];

    barred(
        with("empty", &[]),
        &["ca.pem cannot be read", "DOCKER_CERT_PATH"],
    );
    let nobody = with("nobody", &[("ca.pem", file("ca.pem"))]);
    barred(nobody, &["wants a certificate that it trusts"]);
    let strange = keys(other.clone(), stranger.signing_key.serialize_pem());
    let strange = [&strange[..], &[("ca.pem", file("ca.pem"))]].concat();
    barred(
        with("stranger", &strange),
        &["wants a certificate that it trusts"],
    );
    let untrusting = keys(file("cert.pem"), file("key.pem"));
    let untrusting = [&untrusting[..], &[("ca.pem", other)]].concat();
    barred(
        with("untrusting", &untrusting),
        &["UnknownIssuer", "ca.pem of DOCKER_CERT_PATH"],
    );

    let mut plain = engine.clone();
    plain.set("DOCKER_TLS_VERIFY", "");
    barred(plain, &["speaks TLS only", "DOCKER_TLS_VERIFY=1"]);
    let mut not_tls = engine.clone();
    not_tls.set("DOCKER_HOST", &format!("tcp://{}", engine.fact("ssh")));
    barred(not_tls, &["does not speak TLS", "unset DOCKER_TLS_VERIFY"]);
}

//! Runs and builds of contexts from elsewhere, on a real engine, and their reruns: the same bytes, whatever has changed.

use tokio::runtime::Runtime;

use super::servers::{GitServer, Repository, TOKEN, tar_of};
use crate::careens::Careen;

const ALLOW: [&str; 2] = ["--allow", "private-address"];
const TASK: &str = "version: v1.1.0\nsteps:\n  - id: show\n    cmd: busybox cat a\n";

/// A git server with a repository `app.git`, and a careen on the engine of this machine.
struct Scene {
    careen: Careen,
    server: GitServer,
    repository: Repository,
    _runtime: Runtime,
}

fn scene(name: &str) -> Option<Scene> {
    let careen = Careen::on_docker()?;
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(GitServer::start());
    let dockerfile = "FROM busybox\nCOPY a /a\nCMD [\"cat\", \"/a\"]\n";
    let files = [
        ("d/a", "first\n"),
        ("d/acb.yaml", TASK),
        ("d/Dockerfile", dockerfile),
    ];
    let repository = server.repository(name, &files);
    Some(Scene {
        careen,
        server,
        repository,
        _runtime: runtime,
    })
}

#[test]
fn a_run_of_a_repository_begins_in_its_folder_and_is_repeated_from_the_same_commit() {
    let Some(scene) = scene("app.git") else {
        return;
    };
    let Scene {
        careen,
        server,
        repository,
        ..
    } = &scene;
    let url = format!("{}#main:d", server.url("app.git"));
    let refused = careen.does(&["run", &url]).exits(2);
    assert!(
        refused.stderr.contains("--allow private-address"),
        "{refused:?}"
    );
    careen.does(&[&["run", &url], &ALLOW[..]].concat()).exits(0);
    assert_eq!(careen.log("show"), "first\n");
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let run = careen.latest();
    assert_eq!(run["prepared"]["commit"], commit.as_str());
    assert_eq!(run["prepared"]["context"]["commit"], commit.as_str());
    assert_eq!(run["prepared"]["context"]["directory"], "d");
    assert_eq!(run["name"], "app/acb.yaml");
    repository.commit(&[("d/a", "second\n")]);
    careen.does(&["runs", "rerun", "latest"]).exits(0);
    assert_eq!(careen.log("show"), "first\n");
    // The same where the cache was lost.
    std::fs::remove_dir_all(careen.path("data/contexts")).unwrap();
    careen.does(&["runs", "rerun", "latest"]).exits(0);
    assert_eq!(careen.log("show"), "first\n");
    careen.does(&[&["run", &url], &ALLOW[..]].concat()).exits(0);
    assert_eq!(careen.log("show"), "second\n");
}

#[test]
fn a_token_opens_a_repository_again_and_is_nowhere_in_clear() {
    let Some(mut scene) = scene("private/app.git") else {
        return;
    };
    let url = format!("{}#main:d", scene.server.url("private/app.git"));
    let run = [&["run", &url], &ALLOW[..]].concat();
    let denied = scene.careen.does(&run).exits(2);
    assert!(denied.stderr.contains("CAREEN_GIT_TOKEN"), "{denied:?}");
    scene.careen.set("CAREEN_GIT_TOKEN", TOKEN);
    scene.careen.does(&run).exits(0);
    scene.careen.set("CAREEN_GIT_TOKEN", "");
    std::fs::remove_dir_all(scene.careen.path("data/contexts")).unwrap();
    scene.careen.does(&["runs", "rerun", "latest"]).exits(0);
    assert_eq!(scene.careen.log("show"), "first\n");
    for entry in ignore::WalkBuilder::new(scene.careen.path("data")).build() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        let found = bytes.windows(TOKEN.len()).any(|it| it == TOKEN.as_bytes());
        assert!(!found, "the token is in clear");
    }
}

#[test]
fn images_are_built_from_repositories_archives_and_standard_input() {
    let Some(mut scene) = scene("app.git") else {
        return;
    };
    let image = scene.careen.image("elsewhere");
    let url = format!("{}#main:d", scene.server.url("app.git"));
    let options = ["-t", &image, "--no-push"];
    let careen = &scene.careen;
    let words = [&["build", &url], &options[..], &ALLOW].concat();
    careen.does(&words).exits(0);
    careen.steps(&format!("  - id: show\n    cmd: {image}\n"));
    careen.run(&[]).exits(0);
    assert_eq!(careen.log("show"), "first\n");
    let dockerfile = "FROM busybox\nCOPY a /a\nCMD cat /a\n";
    let tar = tar_of(&[("a", "from a tar\n"), ("Dockerfile", dockerfile)]);
    let words = [&["build", "-"], &options[..]].concat();
    careen.told(&words, &tar).exits(0);
    careen.run(&[]).exits(0);
    assert_eq!(careen.log("show"), "from a tar\n");
    let alone = b"FROM busybox\nCMD [\"echo\", \"alone\"]\n";
    careen.told(&words, alone).exits(0);
    careen.run(&[]).exits(0);
    assert_eq!(careen.log("show"), "alone\n");
}

#[test]
fn a_build_step_opens_its_own_context_and_a_rerun_the_same_commit() {
    let Some(mut scene) = scene("app.git") else {
        return;
    };
    let image = scene.careen.image("step");
    let url = format!("{}#main:d", scene.server.url("app.git"));
    let careen = &scene.careen;
    careen.steps(&format!(
        "  - id: make\n    build: -t {image} {url}\n  - id: show\n    cmd: {image}\n    when: [make]\n"
    ));
    let refused = careen.run(&[]).exits(1);
    assert!(
        refused.stderr.contains("--allow private-address"),
        "{refused:?}"
    );
    careen.run(&ALLOW).exits(0);
    assert_eq!(careen.log("show"), "first\n");
    let commit = scene.repository.git(&["rev-parse", "HEAD"]);
    let recorded = careen.latest()["step_list"][0]["images"][0]["context"].clone();
    assert_eq!(recorded["found"]["commit"], commit.as_str());
    scene.repository.commit(&[("d/a", "second\n")]);
    careen.does(&["runs", "rerun", "latest"]).exits(0);
    assert_eq!(careen.log("show"), "first\n");
    careen.run(&ALLOW).exits(0);
    assert_eq!(careen.log("show"), "second\n");
}

#[test]
fn a_rerun_of_a_folder_sees_the_files_of_the_first_run() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.task(TASK);
    careen.file("a", "first\n");
    careen.run(&[]).exits(0);
    careen.file("a", "second\n");
    careen.does(&["runs", "rerun", "latest"]).exits(0);
    assert_eq!(careen.log("show"), "first\n");
    careen.run(&[]).exits(0);
    assert_eq!(careen.log("show"), "second\n");
    std::fs::remove_dir_all(careen.path("data/contexts")).unwrap();
    let gone = careen.does(&["runs", "rerun", "latest"]).exits(2);
    assert!(gone.stderr.contains("not kept any more"), "{gone:?}");
}

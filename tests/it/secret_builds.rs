//! `careen build` with secrets, and what is recorded of builds.

use std::fs;

use crate::careens::Careen;

#[test]
fn secrets_of_a_build_reach_its_commands_and_nothing_else() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    let image = careen.image("hidden");
    let word = format!("hush-{}", uuid::Uuid::new_v4().simple());
    careen.set("BUILD_TOKEN", &word);
    careen.file("token.txt", &format!("{word}-file\n"));
    careen.file(".dockerignore", "*\n!Dockerfile\n");
    careen.file(
        "Dockerfile",
        "FROM busybox\nARG BUILD_TOKEN\nRUN --mount=type=secret,id=file --mount=type=secret,id=env \
         test \"$(cat /run/secrets/file)\" = \"$BUILD_TOKEN-file\" && \
         test \"$(cat /run/secrets/env)\" = \"$BUILD_TOKEN\" && echo both agree: $BUILD_TOKEN\n",
    );
    let file = format!("id=file,src={}", careen.path("context/token.txt").display());
    let context = careen.path("context").display().to_string();
    let ran = careen
        .does(&[
            "build",
            "-t",
            &image,
            "--no-cache",
            "--secret-build-arg",
            "BUILD_TOKEN",
            "--secret",
            &file,
            "--secret",
            "id=env,env=BUILD_TOKEN",
            &context,
        ])
        .exits(0);
    assert!(ran.stdout.contains("both agree: ***"), "{}", ran.stdout);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(&word));
    let mut files = vec![careen.home().to_path_buf()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path.file_name().is_some_and(|name| name != "token.txt") {
            let bytes = fs::read(&path).unwrap_or_default();
            let holds = bytes
                .windows(word.len())
                .any(|window| window == word.as_bytes());
            assert!(!holds, "{} holds the secret", path.display());
        }
    }
    let parts = careen.latest()["step_list"][0]["images"][0]["parts"].clone();
    let names: Vec<&str> = parts
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|part| part["name"].as_str())
        .collect();
    assert!(
        names.iter().any(|name| name.starts_with("[2/2] RUN ")),
        "{names:?}"
    );
    assert!(
        parts[0]["milliseconds"].is_number() && parts[0]["cached"] == false,
        "{parts}"
    );
    let shown = careen.does(&["runs", "show", careen.latest()["id"].as_str().unwrap()]);
    assert!(shown.exits(0).stdout.contains("[2/2] RUN "));
}

#[test]
fn a_failing_build_shows_its_lines_and_its_last_output() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    careen.file(
        "Dockerfile",
        "FROM busybox\n\nRUN echo last words && exit 9\n",
    );
    careen.steps("  - id: image\n    build: .\n");
    let ran = careen.run(&[]).exits(1);
    for words in [
        "Dockerfile:3",
        ">>> RUN echo last words && exit 9",
        "last words\n",
    ] {
        assert!(ran.stdout.contains(words), "{}", ran.stdout);
    }
    let parts = careen.latest()["step_list"][0]["images"][0]["parts"].clone();
    let failed = parts
        .as_array()
        .unwrap()
        .iter()
        .find(|part| part["error"].is_string());
    let failed = failed.expect("a part failed");
    assert!(
        failed["error"].as_str().unwrap().contains("exit code: 9"),
        "{failed}"
    );
}

//! `careen scan` says what a Dockerfile stands on, and makes nothing.

use std::fs;

use serde_json::Value;

use crate::careens::Careen;

const DOCKERFILE: &str = "# syntax=docker/dockerfile:1\nARG GO=1.22\nFROM --platform=linux/386 golang:${GO} AS build\n\
                          RUN <<EOF\nFROM nothing\nEOF\nFROM unused AS other\nFROM alpine:3\nCOPY --from=BUILD /a /a\n\
                          COPY --from=r.invalid/tool /t /t\n";

/// A careen whose engine is not there.
fn alone() -> Careen {
    let mut careen = Careen::new();
    careen.set("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    careen
}

fn references(of: &Value) -> Vec<&str> {
    let list = of.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .filter_map(|it| it["reference"].as_str())
        .collect()
}

#[test]
fn the_record_is_printed_without_engine_or_database() {
    let careen = alone();
    careen.file("Dockerfile", DOCKERFILE);
    let record = careen.json(&[
        "scan",
        ".",
        "-t",
        "r.invalid/app:1",
        "--build-arg",
        "GO=1.23",
    ]);
    assert_eq!(record[0]["image"]["reference"], "r.invalid/app:1");
    assert_eq!(record[0]["runtime-dependency"]["reference"], "alpine:3");
    let buildtime = references(&record[0]["buildtime-dependency"]);
    assert_eq!(
        buildtime,
        [
            "docker/dockerfile:1",
            "golang:1.23",
            "r.invalid/tool:latest"
        ]
    );
    assert_eq!(record[0]["runtime-dependency"]["digest"], "");
    assert!(!careen.path("data").exists(), "a database was made");
}

#[test]
fn the_table_says_what_each_image_is_for_and_which_digest_is_not_known() {
    let careen = alone();
    careen.file("Dockerfile", DOCKERFILE);
    let digest = format!("r.invalid/tool@sha256:{}", "d".repeat(64));
    careen.file(
        "sub/Other",
        &format!("FROM golang AS Build\nFROM scratch\nCOPY --from={digest} / /\n"),
    );
    let ran = careen
        .does(&["scan"])
        .exits(0)
        .says(&["alpine:3 is not known"]);
    let row = |image: &str| {
        let rows = ran.stdout.lines();
        let mut words = rows.map(|row| row.split_whitespace().collect::<Vec<_>>());
        words
            .find(|row| row.first() == Some(&image))
            .unwrap_or_else(|| panic!("{}", ran.stdout))
    };
    assert_eq!(row("alpine:3"), ["alpine:3", "runtime", "unknown"]);
    assert_eq!(
        row("golang:1.22"),
        ["golang:1.22", "FROM", "linux/386", "unknown"]
    );
    let ran = careen.does(&["scan", "-f", "sub/Other", "."]).exits(0);
    assert!(
        ran.stdout.contains("the Dockerfile") && !ran.stdout.contains("golang"),
        "{ran:?}"
    );
    let ran = careen
        .does(&["scan", "--target", "build", "-f", "sub/Other", "--quiet"])
        .exits(0);
    assert!(
        ran.stdout.contains("golang:latest") && ran.stderr.is_empty(),
        "{ran:?}"
    );
}

#[test]
fn what_is_wrong_is_underlined_and_exits_2() {
    let careen = alone();
    for (text, options, says) in [
        (
            "FROM a\nRUNN x\n",
            &[][..],
            &["Dockerfile:2:1", "RUNN", "did you mean RUN?"][..],
        ),
        (
            "FROM $BASE\n",
            &[],
            &["Dockerfile:1:6", "BASE has no value here"],
        ),
        (
            "FROM a AS build\n",
            &["--target", "biuld"],
            &["did you mean build?"],
        ),
        (
            "FROM a:b:c\n",
            &[],
            &["Dockerfile:1:6", "invalid image reference"],
        ),
        (
            "FROM a\n",
            &["-f", "none"],
            &["cannot read the Dockerfile none"],
        ),
    ] {
        careen.file("Dockerfile", text);
        careen
            .does(&[&["scan"], options].concat())
            .exits(2)
            .says(says);
    }
    careen.file("Dockerfile", "FROM a\nRUN x \\\nFROM b\n");
    careen
        .does(&["scan"])
        .exits(0)
        .says(&["this FROM begins no stage"]);
}

#[test]
fn an_engine_tells_the_digests_that_it_has() {
    let Some(careen) = Careen::on_docker() else {
        return;
    };
    for image in ["busybox", "127.0.0.1:5000/busybox"] {
        careen.file("Dockerfile", &format!("FROM {image}\n"));
        let record = careen.json(&["scan"]);
        let digest = record[0]["runtime-dependency"]["digest"].as_str();
        let expected = careen.repo_digest(image).unwrap_or_default();
        assert_eq!(digest, Some(expected.as_str()), "{image}");
    }
}

#[test]
fn commands_that_record_nothing_make_no_database() {
    let careen = alone();
    careen.steps("  - cmd: busybox true\n");
    careen.does(&["check"]).exits(0);
    careen.does(&["plan"]).exits(0);
    assert!(!careen.path("data").exists(), "a database was made");
    fs::create_dir_all(careen.path("data")).unwrap();
    fs::write(careen.path("data/careen.db"), "not a database").unwrap();
    careen.does(&["check"]).exits(0);
}

//! The modules are layers, and each knows only what is below it: read from the sources, compared with the map.

mod names;

use std::{fs, path::Path};

use names::{paths, words};

/// The map, lowest first; modules of one row do not know each other.
const LAYERS: &[&[&str]] = &[
    &["text"],
    &["dockerfile", "dockerignore", "template", "yaml"],
    &["spec"],
    &["fleet", "plan", "tasks"],
    &["triggers"],
    &["engine"],
    &["ports"],
    &["logs"],
    &["adapters"],
    &["runner"],
    &["app"],
    &["server"],
    &["client"],
    &["cli"],
];

/// The highest row of the pure core.
const CORE: usize = 5;

/// What the core must not name: the outside, the clock, chance.
const IMPURE: &[&str] = &[
    "tokio",
    "rand",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "std::time",
    "chrono::Local",
    "chrono::Utc::now",
    "Utc::now",
];

/// Values that live in a module of the outside and reach nothing.
const MERE_VALUES: &[&str] = &[
    "std::net::IpAddr",
    "std::net::Ipv4Addr",
    "std::net::Ipv6Addr",
];

/// Libraries that talk to the outside, and the only folders that may name them.
const KEEPERS: &[(&str, &str)] = &[
    ("bollard", "adapters/docker/"),
    ("git2", "adapters/folder/"),
    ("reqwest", "adapters/registry/"),
    ("reqwest", "adapters/web/"),
    ("reqwest", "client/"),
    ("sqlx", "adapters/sql/"),
    ("clap", "cli/"),
    ("indicatif", "cli/"),
    ("axum", "server/"),
    ("axum", "adapters/docker/packing/"),
    ("object_store", "adapters/objects/"),
    ("object_store", "adapters/sql/postgres/"),
    ("opentelemetry", "adapters/telemetry/"),
    ("opentelemetry_otlp", "adapters/telemetry/"),
    ("opentelemetry_sdk", "adapters/telemetry/"),
    ("notify_debouncer_full", "cli/"),
    ("notify_debouncer_full", "server/"),
];

/// Says what is wrong with a file under `src`; empty when it keeps the map.
fn faults(file: &str, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !source.starts_with("//! ") {
        found.push(format!(
            "{file} does not open with a sentence on what it is for"
        ));
    }
    for path in paths(file, source) {
        found.extend(misplaced(file, &path));
        found.extend(impure(file, &path));
        found.extend(unkept(file, &path));
    }
    if row(top(file)).is_some_and(|row| row <= CORE) {
        let waits = words(source)
            .into_iter()
            .find(|word| word == "async" || word == "await");
        found.extend(waits.map(|word| format!("{file} says {word}")));
    }
    found.dedup();
    found
}

/// A module names only lower ones; adapters are named by no one, not even each other.
fn misplaced(file: &str, path: &[String]) -> Option<String> {
    let [root, named, ..] = path else { return None };
    let own = top(file);
    // The files of `src` itself wire everything.
    if root != "crate" || own == file {
        return None;
    }
    let (Some(own_row), Some(row)) = (row(own), row(named)) else {
        return Some(format!("{file} names {named}, or is itself not on the map"));
    };
    let is_fine = match (own, named.as_str()) {
        ("adapters", "adapters") => path.get(2).is_none_or(|it| it == adapter(file)),
        (_, "adapters") => false,
        _ => own == named || row < own_row,
    };
    (!is_fine).then(|| format!("{file} names {}", path.join("::")))
}

fn impure(file: &str, path: &[String]) -> Option<String> {
    let path = path.join("::");
    let is_core = row(top(file)).is_some_and(|row| row <= CORE);
    let is_below = |it: &&str| path == **it || path.starts_with(&format!("{it}::"));
    let is_impure = IMPURE.iter().any(&is_below);
    let is_value = MERE_VALUES.iter().any(is_below);
    (is_core && is_impure && !is_value).then(|| format!("{file} names {path}"))
}

fn unkept(file: &str, path: &[String]) -> Option<String> {
    let mut keepers = KEEPERS
        .iter()
        .filter(|(library, _)| *library == path[0])
        .peekable();
    let (library, _) = keepers.peek()?;
    let is_kept = keepers.any(|(_, keeper)| file.starts_with(keeper));
    (!is_kept).then(|| format!("{file} names {library}"))
}

fn row(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

/// The module of `src` that a file belongs to; the file itself when it belongs to none.
fn top(file: &str) -> &str {
    file.split('/').next().unwrap_or(file)
}

/// The adapter that a file belongs to.
fn adapter(file: &str) -> &str {
    let name = file.split('/').nth(1).unwrap_or_default();
    name.trim_end_matches(".rs")
}

fn each_source(folder: &Path, visit: &mut impl FnMut(&str, &str)) {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            each_source(&path, visit);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let name = path.strip_prefix(&src).expect("a file of src");
            let source = fs::read_to_string(&path).expect("a source");
            visit(&name.to_string_lossy(), &source);
        }
    }
}

#[test]
fn every_source_keeps_its_place_in_the_map() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut files) = (Vec::new(), 0);
    each_source(&src, &mut |file, source| {
        found.extend(faults(file, source));
        files += 1;
    });
    assert!(files > 100, "only {files} sources were found");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_module_of_the_library_is_on_the_map() {
    let lib = include_str!("../../src/lib.rs");
    let words = words(lib);
    let declared = words
        .windows(2)
        .filter(|it| it[0] == "mod")
        .map(|it| &it[1]);
    let missing: Vec<_> = declared.filter(|it| row(it).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The faults of a source whose first line is as it should be.
fn faults_of(file: &str, code: &str) -> Vec<String> {
    faults(file, &format!("//! Made up.\n{code}"))
}

#[test]
fn the_check_refuses_what_breaks_the_map() {
    for (file, code, names) in [
        (
            "engine/a.rs",
            "use crate::ports::Clock;",
            "crate::ports::Clock",
        ),
        (
            "engine/a.rs",
            "use crate::{plan::Plan, ports::{Clock}};",
            "crate::ports::Clock",
        ),
        (
            "engine/a.rs",
            "fn f() { crate::runner::go(); }",
            "crate::runner::go",
        ),
        (
            "engine/a.rs",
            "use super::super::cli::Args;",
            "crate::cli::Args",
        ),
        (
            "yaml/mod.rs",
            "use crate::template::Value;",
            "crate::template::Value",
        ),
        (
            "runner/a.rs",
            "use crate::adapters::docker::Docker;",
            "crate::adapters::docker::Docker",
        ),
        (
            "app/mod.rs",
            "use crate::adapters::sqlite::Store;",
            "crate::adapters::sqlite::Store",
        ),
        (
            "adapters/web/a.rs",
            "use crate::adapters::locks::Lock;",
            "crate::adapters::locks::Lock",
        ),
        (
            "adapters/web/mod.rs",
            "use super::locks::Lock;",
            "crate::adapters::locks::Lock",
        ),
        (
            "plan/a.rs",
            "use std::{sync::Arc, time::Instant};",
            "std::time::Instant",
        ),
        ("plan/a.rs", "fn f() { std::fs::read(p); }", "std::fs::read"),
        (
            "spec/a.rs",
            "let now = chrono::Utc::now();",
            "chrono::Utc::now",
        ),
        ("spec/a.rs", "let now = Utc::now();", "Utc::now"),
        (
            "text/a.rs",
            "use std::net::TcpStream;",
            "std::net::TcpStream",
        ),
        ("app/a.rs", "sqlx::query(\"select 1\");", "sqlx"),
        ("cli/a.rs", "use bollard::Docker;", "bollard"),
    ] {
        assert_eq!(faults_of(file, code), [format!("{file} names {names}")]);
    }
}

#[test]
fn the_check_refuses_waiting_in_the_core_and_files_that_do_not_introduce_themselves() {
    assert_eq!(
        faults_of("plan/a.rs", "async fn f() {}"),
        ["plan/a.rs says async"]
    );
    let opening = "a.rs does not open with a sentence on what it is for";
    assert_eq!(faults("a.rs", "use std::fmt;\n"), [opening]);
    assert_eq!(faults_of("new/a.rs", "use crate::spec::Step;").len(), 1);
}

#[test]
fn the_check_lets_pass_what_keeps_the_map() {
    for (file, code) in [
        (
            "engine/a.rs",
            "use crate::{plan::Plan, spec::{Step, StepKind as Kind}};",
        ),
        (
            "engine/tests/a.rs",
            "use super::super::{advance, state::RunState};",
        ),
        (
            "engine/a.rs",
            "// use crate::cli::Args;\n/* crate::cli */ let a = \"crate::cli::b\";",
        ),
        (
            "engine/a.rs",
            "let quote = '\"'; let a: &'a str = r#\"crate::\"cli::b\"#;",
        ),
        ("spec/a.rs", "use std::net::IpAddr;"),
        (
            "adapters/web/a.rs",
            "use crate::{adapters::web::Web, ports::Fetch};",
        ),
        ("adapters/sql/sqlite/a.rs", "use sqlx::Row;"),
        (
            "runner/a.rs",
            "async fn f() { tokio::time::sleep(d).await; }",
        ),
        ("cli/a.rs", "let v = Vec::<crate::app::App>::new();"),
        ("main.rs", "use careen::adapters::web::Web;"),
    ] {
        assert!(
            faults_of(file, code).is_empty(),
            "{:?}",
            faults_of(file, code)
        );
    }
}

//! Promise: a task file is understood, or every error in it is found in one pass, each with its place and what to try.

use careen::spec::alias::Aliases;
use careen::spec::{Step, StepKind, Task, When, parse};
use careen::text::{Source, render, to_json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Each `*.yaml` has a neighbour `*.expected`; `UPDATE_EXPECTED=1 cargo test task_files` writes them anew.
#[test]
fn every_file_is_read_as_its_neighbour_says() {
    let mut wrong = Vec::new();
    for path in files() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let found = outcome(name, &text);
        let neighbour = path.with_extension("expected");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&neighbour, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&neighbour).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{name}: expected\n{expected}\nfound\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn no_text_makes_the_reader_panic() {
    let texts: Vec<String> = files()
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let mut seed: u64 = 8;
    let mut random = |below: usize| {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (seed >> 33) as usize % below.max(1)
    };
    for _ in 0..3_000 {
        let mut lines: Vec<&str> = texts[random(texts.len())].lines().collect();
        let other: Vec<&str> = texts[random(texts.len())].lines().collect();
        for _ in 0..1 + random(5) {
            let at = random(lines.len() + 1);
            match random(4) {
                0 if at < lines.len() => drop(lines.remove(at)),
                1 => lines.insert(
                    at,
                    lines.get(random(lines.len())).copied().unwrap_or("é: ☃"),
                ),
                2 if at < lines.len() => lines[at] = lines[at].get(random(6)..).unwrap_or_default(),
                _ => lines.insert(at, other.get(random(other.len())).copied().unwrap_or("- ~")),
            }
        }
        let text = lines.join("\n");
        let (task, findings) = parse(&text, &Aliases::default());
        assert_eq!(task.is_none(), findings.has_errors(), "{text}");
        let source = Source {
            name: "f",
            text: &text,
        };
        render(&source, &findings, false);
        to_json(&source, &findings);
    }
}

#[test]
fn ten_thousand_steps_and_as_many_mistakes_are_no_burden() {
    let mut good = String::from("steps:\n");
    let mut bad = String::from("env: ['A=1,2']\nsteps:\n");
    for index in 0..10_000 {
        writeln!(
            good,
            "  - id: s{index}\n    cmd: alpine true\n    when: ['-']"
        )
        .unwrap();
        writeln!(bad, "  - id: same\n    cmd: x\n    when: [nope{index}]\n    tiemout{index}: 1\n    retries: x").unwrap();
    }
    let (task, findings) = parse(&good, &Aliases::default());
    assert_eq!(
        task.map(|task| task.steps.len()),
        Some(10_000),
        "{findings:?}"
    );
    let (task, findings) = parse(&bad, &Aliases::default());
    assert!(task.is_none());
    assert_eq!(findings.iter().count(), 40_000);
    let report = render(
        &Source {
            name: "f",
            text: &bad,
        },
        &findings,
        false,
    );
    assert!(report.ends_with("… and 39950 more\n"));
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/task-files");
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    files.sort();
    files
}

fn outcome(name: &str, text: &str) -> String {
    let (task, findings) = parse(text, &Aliases::default());
    let report = render(&Source { name, text }, &findings, false);
    match task {
        Some(task) => format!("{report}accepted\n{}", summary(&task)),
        None => format!("{report}refused\n"),
    }
}

/// Prints what matters of a task, a line to a thing.
fn summary(task: &Task) -> String {
    let mut out = format!("version {:?}\n", task.version);
    for secret in &task.secrets {
        writeln!(
            out,
            "secret {} from {} as {:?}",
            secret.id, secret.keyvault, secret.client_id
        )
        .unwrap();
    }
    task.networks
        .iter()
        .for_each(|network| writeln!(out, "{network:?}").unwrap());
    for volume in &task.volumes {
        writeln!(out, "volume {}", volume.name).unwrap();
        for (name, content) in &volume.files {
            writeln!(out, "  {name} {:?}", String::from_utf8_lossy(content)).unwrap();
        }
    }
    task.steps
        .iter()
        .for_each(|step| step_summary(step, &mut out).unwrap());
    out
}

fn step_summary(step: &Step, out: &mut String) -> std::fmt::Result {
    let what = match &step.kind {
        StepKind::Cmd(command) => command.text.clone(),
        StepKind::Build(build) => format!("{} (cache {:?})", build.text, build.cache),
        StepKind::Push(push) => push.images.join(" "),
    };
    writeln!(out, "step {}: {} {what}", step.id, step.kind.word())?;
    match &step.when {
        When::Previous => {}
        when => writeln!(out, "  when {when:?}")?,
    }
    writeln!(
        out,
        "  timeout {}, delay {}, retries {} every {} on {:?}, repeat {}",
        step.timeout_seconds,
        step.start_delay_seconds,
        step.retries,
        step.retry_delay_seconds,
        step.retry_on_errors,
        step.repeat,
    )?;
    let flags = [
        ("ignoreErrors", step.ignore_errors),
        ("detach", step.detach),
        ("keep", step.keep),
        ("pull", step.pull),
        ("privileged", step.privileged),
    ];
    flags
        .iter()
        .filter(|(_, is_set)| *is_set)
        .try_for_each(|(name, _)| writeln!(out, "  {name}"))?;
    writeln!(
        out,
        "  in {:?}, pull retries {} every {}",
        step.working_directory, step.pull_retries, step.pull_retry_delay_seconds
    )?;
    let texts = [
        ("entryPoint", &step.entry_point),
        ("user", &step.user),
        ("network", &step.network),
        ("isolation", &step.isolation),
        ("cpus", &step.cpus),
    ];
    for (name, text) in texts {
        text.iter()
            .try_for_each(|text| writeln!(out, "  {name} {text}"))?;
    }
    step.env
        .iter()
        .try_for_each(|variable| writeln!(out, "  env {}={}", variable.name, variable.value))?;
    step.expose
        .iter()
        .try_for_each(|port| writeln!(out, "  expose {port}"))?;
    step.ports
        .iter()
        .try_for_each(|port| writeln!(out, "  port {port}"))?;
    step.volume_mounts
        .iter()
        .try_for_each(|mount| writeln!(out, "  mount {} at {}", mount.name, mount.mount_path))
}

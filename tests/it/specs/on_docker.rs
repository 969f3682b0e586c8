//! Runs specs on a Docker Engine, through the program itself.

use std::{
    path::PathBuf,
    process::{Output, Stdio},
    time::Duration,
};

use careen::{
    ports::{Containers, Labels, Resource},
    runner::LABEL_STORE,
};
use serde_json::Value;
use tokio::process::Command;

use super::{
    RUN, Spec, TASK_SPECS,
    expected::{Expected, Options},
    registry,
    seen::{Seen, SeenRun, findings_text, read_files},
};
use crate::{engines::Engine, world};

/// No spec takes longer.
const LONGEST: Duration = Duration::from_secs(120);

/// Runs a spec and tells how it ended.
pub async fn run(spec: &Spec, engine: &Engine) -> Seen {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let paths = spec.expected.files.keys().enumerate();
    let saved: Vec<(String, PathBuf)> = paths
        .map(|(i, path)| (path.clone(), at(&format!("out/{i}"))))
        .collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_careen"));
    command.args(["run", "--json", "-f", &format!("{}.yaml", spec.name)]);
    command.args(words(&spec.expected.options));
    for (path, folder) in &saved {
        command.arg(format!("--output={path}={}", folder.display()));
    }
    let configuration = at("none.toml");
    std::fs::write(&configuration, "").expect("an empty settings file");
    command
        .current_dir(TASK_SPECS)
        .env_remove("CAREEN_REGISTRY")
        .env("CAREEN_DB", at("careen.db"))
        .env("CAREEN_CONFIG", configuration)
        .envs(&engine.variables)
        .envs(&spec.expected.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let done = output(command).await;
    let said: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
    let Some(id) = said["id"].as_str() else {
        return Seen::Refused(refusal(&said, &done));
    };
    let app = world::reader(folder.path()).await;
    Seen::Ran(Box::new(SeenRun {
        exit: done.status.code(),
        warnings: warnings(&done),
        files: read_files(&saved),
        pushed: pushed(&spec.expected, id).await,
        left_over: left_over(engine, app.ports.store.store_id()).await,
        ..SeenRun::read(&app, id).await
    }))
}

/// Waits for the end; a program that takes too long is asked to stop, so that it leaves nothing behind.
async fn output(mut command: Command) -> Output {
    let child = command.spawn().expect("careen starts");
    let id = child.id().expect("it has not been waited for").to_string();
    let mut done = Box::pin(child.wait_with_output());
    let in_time = tokio::time::timeout(LONGEST, &mut done).await;
    let done = match in_time {
        Ok(done) => done,
        Err(_) => {
            let _ = Command::new("kill").args(["-TERM", &id]).status().await;
            done.await
        }
    };
    done.expect("careen is waited for")
}

/// The options as words of the command line.
fn words(options: &Options) -> Vec<String> {
    let mut words = vec![
        options
            .context
            .clone()
            .unwrap_or_else(|| "/dev/null".to_owned()),
    ];
    let lists = [
        ("set", &options.set),
        ("set-secret", &options.set_secret),
        ("secret-from", &options.secret_from),
        ("values", &options.values),
        ("allow", &options.allow),
    ];
    for (name, list) in lists {
        words.extend(list.iter().map(|value| format!("--{name}={value}")));
    }
    let numbers = [
        (
            "timeout",
            options.timeout.map(|seconds| seconds.to_string()),
        ),
        (
            "parallel",
            options.parallel.map(|number| number.to_string()),
        ),
        ("registry", options.registry.then(registry)),
    ];
    for (name, value) in numbers {
        words.extend(value.map(|value| format!("--{name}={value}")));
    }
    let flags = [
        ("wait-healthy", options.wait_healthy),
        ("strict", options.strict),
    ];
    let given = flags.iter().filter(|(_, is_given)| *is_given);
    words.extend(given.map(|(name, _)| format!("--{name}")));
    words
}

fn refusal(said: &Value, done: &Output) -> String {
    let error = &said["error"];
    if error["findings"].is_array() {
        return findings_text(&error["findings"]);
    }
    match error["message"].as_str() {
        Some(message) => format!("{message}; {}", error["hint"].as_str().unwrap_or_default()),
        None => String::from_utf8_lossy(&done.stderr).into_owned(),
    }
}

fn warnings(done: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    let warnings = text.lines().filter(|line| line.starts_with("warning["));
    warnings.map(str::to_owned).collect()
}

/// Asks the engine for everything that this careen has made.
async fn left_over(engine: &Engine, store: &str) -> Vec<String> {
    let engine = engine.connect();
    let own = Labels::from([(LABEL_STORE.to_owned(), store.to_owned())]);
    let mut names = Vec::new();
    for resource in [Resource::Container, Resource::Network, Resource::Volume] {
        let found = engine.list(resource, &own).await.expect("a list");
        names.extend(found.into_iter().map(|it| it.name));
    }
    names
}

/// Asks the registry for what must have been pushed.
async fn pushed(expected: &Expected, run: &str) -> Vec<String> {
    // Needed by the client even where nothing is encrypted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut found = Vec::new();
    for wanted in &expected.pushed {
        let image = wanted.replace(RUN, run);
        let path = image.strip_prefix(&format!("{}/", registry()));
        let Some((name, tag)) = path.and_then(|path| path.rsplit_once(':')) else {
            continue;
        };
        let url = format!("http://{}/v2/{name}/manifests/{tag}", registry());
        let accept = "application/vnd.docker.distribution.manifest.v2+json";
        let answer = reqwest::Client::new().head(url).header("Accept", accept);
        if answer.send().await.is_ok_and(|it| it.status().is_success()) {
            found.push(wanted.clone());
        }
    }
    found
}

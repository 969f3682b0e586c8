//! Every task file in `task-specs` ends as its neighbour says, on the engine in memory and on Docker.

mod compare;
mod expected;
mod in_memory;
mod on_docker;
mod seen;
mod self_test;

use std::path::Path;

use futures_util::{StreamExt, stream};

use compare::differences;
use expected::{EngineName, Expected};

use crate::engines::{CLASSIC, CONTAINERD, Engine};

/// Where the specs are.
const TASK_SPECS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/task-specs");
/// What stands in expectations for the registry of the tests.
const REGISTRY: &str = "<registry>";
/// What stands in expectations for the id of the run.
const RUN: &str = "<run>";
/// What is run on newer engines, too: what they might do differently.
const ON_NEWER_ENGINES: [&str; 3] = ["builds/", "networks/", "volumes/"];
/// How many specs are run on Docker at once.
const AT_ONCE: usize = 4;

/// A task file and how it must end.
#[derive(Debug, Clone)]
struct Spec {
    /// Its path below `task-specs`, without the ending.
    name: String,
    text: String,
    expected: Expected,
}

/// The registry of the tests; the one of `./dev setup registry` unless another is named.
pub fn registry() -> String {
    let variable = |name: &str| std::env::var(name).ok();
    variable("CAREEN_TEST_REGISTRY").unwrap_or_else(|| {
        let port = variable("CAREEN_DEV_REGISTRY_PORT");
        format!("127.0.0.1:{}", port.unwrap_or_else(|| "5000".to_owned()))
    })
}

/// All specs, or those whose names contain `CAREEN_TEST_SPEC`.
fn specs() -> Vec<Spec> {
    let wanted = std::env::var("CAREEN_TEST_SPEC").unwrap_or_default();
    let names = paths().into_iter().filter_map(|path| {
        let name = path.strip_suffix(".yaml")?;
        (!name.ends_with(".expected")).then(|| name.to_owned())
    });
    let wanted = names.filter(|name| name.contains(&wanted));
    wanted.map(read).collect()
}

/// All files below `task-specs`, contexts left out.
fn paths() -> Vec<String> {
    let walk = ignore::WalkBuilder::new(TASK_SPECS)
        .standard_filters(false)
        .sort_by_file_path(Path::cmp)
        .filter_entry(|entry| entry.file_name() != "contexts")
        .build();
    let files = walk.filter_map(Result::ok).map(|entry| entry.into_path());
    let below =
        files.filter_map(|path| Some(path.strip_prefix(TASK_SPECS).ok()?.to_str()?.to_owned()));
    below.collect()
}

fn read(name: String) -> Spec {
    let path = |ending: &str| format!("{TASK_SPECS}/{name}{ending}");
    let text = std::fs::read_to_string(path(".yaml")).expect("the task file");
    let neighbour = std::fs::read_to_string(path(".expected.yaml"));
    let neighbour = neighbour.unwrap_or_else(|error| panic!("{name}.expected.yaml: {error}"));
    let neighbour = neighbour.replace(REGISTRY, &registry());
    let expected = serde_yaml::from_str(&neighbour);
    let expected = expected.unwrap_or_else(|error| panic!("{name}.expected.yaml: {error}"));
    Spec {
        name,
        text,
        expected,
    }
}

/// Panics with everything that differs in any spec.
fn report(all: Vec<(String, Vec<String>)>) {
    let count = all.len();
    let failed: Vec<String> = all
        .into_iter()
        .filter(|(_, differences)| !differences.is_empty())
        .map(|(name, differences)| format!("{name}\n  {}", differences.join("\n  ")))
        .collect();
    let of = failed.len();
    assert!(
        failed.is_empty(),
        "{of} of {count} specs:\n{}",
        failed.join("\n")
    );
    println!("{count} specs ended as they must");
}

#[tokio::test(start_paused = true)]
async fn every_spec_ends_as_it_says_on_the_engine_in_memory() {
    let mut all = Vec::new();
    for spec in specs() {
        if spec.expected.only_on != Some(EngineName::Docker) {
            let seen = in_memory::run(&spec).await;
            let found = differences(&spec.expected, &seen, EngineName::Memory);
            all.push((spec.name, found));
        }
    }
    report(all);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_spec_ends_as_it_says_on_docker() {
    if let Some(engine) = Engine::local().await {
        on_engine(&engine, specs()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_networks_and_volumes_are_the_same_on_newer_engines() {
    for kind in [CLASSIC, CONTAINERD] {
        let Some(engine) = Engine::newer(kind).await else {
            return;
        };
        let is_wanted = |spec: &Spec| {
            let mut folders = ON_NEWER_ENGINES.iter();
            folders.any(|folder| spec.name.starts_with(folder))
        };
        on_engine(&engine, specs().into_iter().filter(is_wanted).collect()).await;
    }
}

async fn on_engine(engine: &Engine, specs: Vec<Spec>) {
    let wanted = |spec: &Spec| spec.expected.only_on != Some(EngineName::Memory);
    let runs = specs.into_iter().filter(wanted).map(|spec| async move {
        let seen = on_docker::run(&spec, engine).await;
        let found = differences(&spec.expected, &seen, EngineName::Docker);
        (spec.name, found)
    });
    report(stream::iter(runs).buffered(AT_ONCE).collect().await);
}

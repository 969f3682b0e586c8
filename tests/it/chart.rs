//! `deploy/helm/careen` under the real helm: it lints, it renders what values ask for, and wrong values are refused.

use std::process::{Command, Output};

use serde_json::Value;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/helm/careen");
/// Made by `./dev setup helm`.
const IMAGE: &str = "careen-demo/helm:latest";

/// Runs helm in a container; `None`, said aloud, when there is no helm.
fn helm(words: &[&str]) -> Option<Output> {
    let has_image = Command::new("docker")
        .args(["image", "inspect", IMAGE])
        .output();
    if !has_image.is_ok_and(|it| it.status.success()) {
        println!("skipped: no {IMAGE}; `./dev setup helm` makes it");
        return None;
    }
    let mount = format!("{CHART}:/chart:ro");
    let mut helm = Command::new("docker");
    helm.args(["run", "--rm", "--network", "none", "-v", &mount, IMAGE])
        .args(words);
    Some(helm.output().expect("docker"))
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]]
        .map(String::from_utf8_lossy)
        .concat()
}

/// What the chart becomes with these values; `None` when there is no helm.
fn rendered(values: &[&str]) -> Option<Vec<Value>> {
    let mut words = vec!["template", "one", "/chart"];
    for value in values {
        words.extend(["--set", value]);
    }
    let output = helm(&words)?;
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let documents = text
        .split("\n---")
        .map(|part| part.trim_start_matches("---"));
    let documents = documents.filter(|part| part.contains("kind:"));
    Some(
        documents
            .map(|part| serde_yaml::from_str(part).expect("YAML"))
            .collect(),
    )
}

fn all<'v>(documents: &'v [Value], kind: &str) -> Vec<&'v Value> {
    documents.iter().filter(|it| it["kind"] == kind).collect()
}

fn variable<'v>(container: &'v Value, name: &str) -> &'v Value {
    let variables = container["env"].as_array().into_iter().flatten();
    variables
        .into_iter()
        .find(|it| it["name"] == name)
        .map_or(&Value::Null, |it| &it["value"])
}

#[test]
fn the_chart_lints() {
    let Some(output) = helm(&["lint", "--strict", "/chart"]) else {
        return;
    };
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn servers_get_secrets_as_files_and_nothing_of_an_engine() {
    let values = [
        "objects.address=s3://bucket",
        "objects.secretKeys={AWS_SECRET_ACCESS_KEY}",
        "server.allow={privileged}",
    ];
    let Some(documents) = rendered(&values) else {
        return;
    };
    let servers = all(&documents, "Deployment");
    let pod = &servers[0]["spec"]["template"]["spec"];
    let server = &pod["containers"][0];
    assert_eq!(
        variable(server, "CAREEN_DB_FILE"),
        "/run/secrets/careen/database"
    );
    assert_eq!(
        variable(server, "AWS_SECRET_ACCESS_KEY_FILE"),
        "/run/secrets/careen/AWS_SECRET_ACCESS_KEY"
    );
    assert_eq!(variable(server, "CAREEN_OBJECTS"), "s3://bucket");
    assert_eq!(
        server["args"].as_array().unwrap().last().unwrap(),
        "--allow=privileged"
    );
    assert_eq!(server["securityContext"]["readOnlyRootFilesystem"], true);
    assert!(!pod.to_string().contains("docker.sock"));
    assert_eq!(all(&documents, "PodDisruptionBudget").len(), 1);
}

#[test]
fn each_pool_is_a_set_of_workers_with_an_engine_that_ends_after_them() {
    let values = [
        "pools[0].name=default",
        "pools[0].replicas=2",
        "pools[0].drainSeconds=90",
        "pools[0].labels.disk=ssd",
        "pools[0].engine.image=docker:27-dind",
        "pools[0].engine.storage=9Gi",
        "pools[0].engine.resources.limits.cpu=1500m",
        "pools[0].engine.resources.limits.memory=8Gi",
        "pools[1].name=arm",
        "pools[1].replicas=1",
        "pools[1].engine.image=docker:27-dind",
        "pools[1].engine.storage=9Gi",
    ];
    let Some(documents) = rendered(&values) else {
        return;
    };
    let sets = all(&documents, "StatefulSet");
    let names: Vec<_> = sets
        .iter()
        .map(|it| it["metadata"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["one-worker-default", "one-worker-arm"]);
    let pod = &sets[0]["spec"]["template"]["spec"];
    assert_eq!(pod["terminationGracePeriodSeconds"], 120);
    let (engine, worker) = (&pod["initContainers"][0], &pod["containers"][0]);
    assert_eq!(
        (
            &engine["restartPolicy"],
            &engine["securityContext"]["privileged"]
        ),
        (&"Always".into(), &true.into())
    );
    let told = [
        "CAREEN_POOL",
        "CAREEN_DRAIN",
        "CAREEN_WORKER_LABELS",
        "CAREEN_WORKER_CPUS",
        "CAREEN_WORKER_MEMORY",
    ];
    assert_eq!(
        told.map(|name| variable(worker, name)),
        ["default", "90", "disk=ssd", "1.5", "8G"]
    );
    assert!(worker["securityContext"]["privileged"].is_null());
}

#[test]
fn wrong_values_are_refused_by_name() {
    for (value, name) in [
        ("server.replicas=0", "replicas"),
        ("objects.address=ftp://x", "address"),
        ("pools[0].name=Not_A_Name", "name"),
        ("existingSecret=", "existingSecret"),
        ("servers=3", "servers"),
    ] {
        let Some(output) = helm(&["template", "one", "/chart", "--set", value]) else {
            return;
        };
        assert!(!output.status.success(), "{value} was taken");
        assert!(said(&output).contains(name), "{value}: {}", said(&output));
    }
}

//! The suite can fail: each kind of wrong expectation is noticed. And it is whole: each property is shown.

use std::path::Path;

use super::{
    Spec, TASK_SPECS, differences,
    expected::{EngineName, Expected},
    in_memory, paths, specs,
};

/// A run with everything that can be compared.
const TASK: &str = "
version: v1.1.0
steps:
  - {id: a, cmd: busybox echo a, retries: 1}
  - {id: b, cmd: busybox echo b, ignoreErrors: true, exitedWith: [0]}
  - {id: c, cmd: busybox false}
";

/// How it ends in truth.
const TRUTH: &str = "
run: failed
reason: 'c: exit status 2'
takes: {at_least: 5, under: 8}
warned: [exitedWith]
steps:
  a: {attempts: 2, log_is: [x], fake: {fail_times: 1, output: 'x'}}
  b: {status: failed, ignored: true, exit: 3}
  c: {status: failed, exit: 2, fake: {file: /workspace/f=text}}
order: [a before b]
files: {f: text}
";

#[tokio::test(start_paused = true)]
async fn each_wrong_expectation_is_noticed() {
    for (right, wrong, noticed) in [
        ("run: failed", "run: succeeded", "the run failed"),
        ("status 2", "status 9", "the run's reason lacks"),
        ("under: 8", "under: 5", "the run took"),
        ("[exitedWith]", "[]", "a warning is not expected"),
        ("[exitedWith]", "[exitedWith, nothing]", "no warning says"),
        ("attempts: 2", "attempts: 1", "step a: 2 attempts"),
        (
            "log_is: [x]",
            "log_is: [x]",
            "step a: the log is [\"x\", \"x\"]",
        ),
        ("log_is: [x]", "log: [x, y]", "step a: the log lacks \"y\""),
        ("log_is: [x]", "log_lacks: [x]", "step a: the log holds"),
        (
            "b: {status: failed",
            "b: {status: succeeded",
            "step b: failed",
        ),
        ("ignored: true", "ignored: false", "step b: ignored is true"),
        ("exit: 2", "exit: 2, takes: {at_least: 3}", "step c took"),
        ("  c: {", "  d: {", "step c is not expected"),
        ("  c: {", "  d: {", "there is no step d"),
        ("a before b", "b before a", "not so: b before a"),
        ("a before b", "a beside b", "not so: a beside b"),
        ("a before b", "a after b", "\"after\" is no order"),
        ("{f: text}", "{f: other}", "file f is"),
        ("{f: text}", "{g: text}", "file g is None"),
        ("order:", "pushed: [image]\norder:", "image was not pushed"),
        ("run: failed", "refused: [nothing]", "it was not refused"),
    ] {
        let found = differ(TASK, &TRUTH.replace(right, wrong)).await;
        let is_noticed = found.iter().any(|it| it.contains(noticed));
        assert!(is_noticed, "{wrong}: {found:?}");
    }
    let truth = TRUTH.replace("log_is: [x]", "log: [x, x]");
    assert_eq!(differ(TASK, &truth).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_refusal_is_noticed() {
    let task = "steps: [{cmd: busybox true, retries: -1}]";
    for (expected, noticed) in [
        (
            "run: succeeded",
            "it was refused: line 1: step must specify",
        ),
        (
            "refused: [another reason]",
            "the refusal lacks \"another reason\"",
        ),
    ] {
        let found = differ(task, expected).await;
        assert!(found[0].starts_with(noticed), "{expected}: {found:?}");
    }
    assert_eq!(differ(task, "refused: [retries >= 0]").await, [""; 0]);
}

async fn differ(task: &str, expected: &str) -> Vec<String> {
    let expected: Expected = serde_yaml::from_str(expected).expect("an expectation");
    let spec = Spec {
        name: "made up".to_owned(),
        text: task.to_owned(),
        expected,
    };
    let seen = in_memory::run(&spec).await;
    differences(&spec.expected, &seen, EngineName::Memory)
}

/// Every property of the language.
const PROPERTIES: &str = "
    version stepTimeout workingDirectory env secrets networks volumes alias steps values src directive
    keyvault clientID name driver ipv6 skipCreation isDefault secret mountPath
    id cmd build push when timeout startDelay retries retryDelay retryOnErrors repeat ignoreErrors detach keep pull
    cmdDownloadRetries cmdDownloadRetryDelay disableWorkingDirectoryOverride entryPoint expose ports user privileged
    network isolation cpus volumeMounts cache exitedWith exitedWithout";

#[test]
fn every_property_is_shown_by_a_spec() {
    let specs = specs();
    if std::env::var("CAREEN_TEST_SPEC").is_ok() {
        return;
    }
    for property in PROPERTIES.split_whitespace() {
        let key = format!("{property}:");
        let shows = |spec: &&Spec| {
            let mut words = spec.text.split([' ', '{', '\n']);
            spec.expected.refused.is_empty() && words.any(|word| word == key)
        };
        assert!(
            specs.iter().find(shows).is_some(),
            "no spec shows `{property}`"
        );
    }
}

#[test]
fn every_spec_says_what_it_shows_and_every_expectation_has_a_spec() {
    for spec in specs() {
        let says = spec.text.starts_with("# ");
        assert!(says, "{} begins without a comment", spec.name);
    }
    for path in paths() {
        if let Some(name) = path.strip_suffix(".expected.yaml") {
            let spec = format!("{TASK_SPECS}/{name}.yaml");
            assert!(
                Path::new(&spec).is_file(),
                "{path} expects something of nothing"
            );
        }
    }
}

#[test]
fn every_spec_that_the_page_on_compatibility_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/COMPATIBILITY.md")).expect("the page");
    let links = page.split("](../").skip(1);
    let links: Vec<&str> = links.filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 50, "{} links", links.len());
    for link in links {
        assert!(root.join(link).is_file(), "{link} is not there");
    }
}

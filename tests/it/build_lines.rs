//! A `build` is docker-build options and one context, in any order.

use careen::spec::build_line::read;
use careen::spec::{Build, Grant, SecretSource, SecretUse};
use careen::text::Level;
use proptest::prelude::*;

fn good(text: &str) -> Build {
    let (build, found) = read(text);
    assert!(!found.has_errors(), "{text}: {found:?}");
    build
}

fn codes(text: &str, level: Level) -> Vec<&'static str> {
    let (_, found) = read(text);
    found
        .iter()
        .filter(|d| d.level == level)
        .map(|d| d.code)
        .collect()
}

#[test]
fn the_context_is_the_word_that_belongs_to_no_option() {
    let cases = [
        ("-t a .", "."),
        (". -t a", "."),
        ("-t a -f x/Dockerfile ./src --no-cache", "./src"),
        ("--pull https://host/r.git", "https://host/r.git"),
        (
            "https://github.com/a/b.git#main:dir -t x",
            "https://github.com/a/b.git#main:dir",
        ),
        ("-t a", "."),
        ("", "."),
        ("-f - -", "-"),
        ("-t a -- -odd-", "-odd-"),
        ("'my dir'", "my dir"),
    ];
    for (text, context) in cases {
        assert_eq!(good(text).context, context, "{text}");
    }
    assert_eq!(codes("-t a one two", Level::Error), ["second-context"]);
    assert_eq!(
        codes("--build-arg A=x y .", Level::Error),
        ["second-context"]
    );
}

#[test]
fn every_supported_option_reaches_the_build() {
    let text = "-t a:1 --tag=r.io/b -f 'My Dir/Dockerfile' --build-arg A=x --build-arg \"B=y z\" --build-arg=C \
         --target final --label a=b --label=c --platform linux/amd64,linux/arm64 --no-cache --pull --network none \
         --cache-from a --cache-from=type=registry,ref=r.io/c --cache-to type=inline --secret id=x,src=/s \
         --add-host a:1.2.3.4 --shm-size=1g -m 2g --squash -q --progress=plain ctx";
    let build = good(text);
    let expected = Build {
        text: text.to_owned(),
        tags: vec!["a:1".into(), "r.io/b".into()],
        dockerfile: Some("My Dir/Dockerfile".into()),
        build_args: vec![
            ("A".into(), Some("x".into())),
            ("B".into(), Some("y z".into())),
            ("C".into(), None),
        ],
        target: Some("final".into()),
        labels: vec![("a".into(), "b".into()), ("c".into(), String::new())],
        platforms: vec!["linux/amd64".into(), "linux/arm64".into()],
        no_cache: true,
        pull: true,
        network: Some("none".into()),
        cache_from: vec!["a".into(), "type=registry,ref=r.io/c".into()],
        cache_to: vec!["type=inline".into()],
        secrets: vec![SecretUse {
            id: "x".into(),
            source: SecretSource::File("/s".into()),
        }],
        extra_hosts: vec!["a:1.2.3.4".into()],
        shm_size_bytes: Some(1 << 30),
        memory_bytes: Some(2 << 30),
        squash: true,
        quiet: true,
        progress: Some("plain".into()),
        context: "ctx".into(),
        ..Build::default()
    };
    assert_eq!(build, expected);
}

#[test]
fn each_other_option_is_refused_or_makes_no_difference() {
    let refused = [
        "--ssh default",
        "--iidfile x",
        "--metadata-file=x",
        "--allow network.host",
        "--builder b",
        "--cgroup-parent x",
        "--security-opt x",
        "--ulimit nofile=1",
        "--push",
        "--detach",
        "--policy x",
        "--root x",
        "--server-config x",
        "--invoke x",
        "--attest type=sbom",
        "--annotation a=b",
        "--call check",
        "--check",
        "--build-context a=b",
        "--print=outline",
        "--help",
    ];
    for option in refused {
        assert_eq!(
            codes(&format!("{option} ."), Level::Error),
            ["option-refused"],
            "{option}"
        );
    }
    let bad_values = [
        "--isolation hyperv",
        "--platform windows/amd64",
        "--provenance=true",
        "--sbom=true",
        "-o out",
        "--output=type=local,dest=x",
        "-t UPPER",
        "-m x",
        "--network container:x",
        "--no-cache=maybe",
        "--label =x",
        "--secret src=x",
        "--secret id=a,type=ssh",
    ];
    for option in bad_values {
        assert_eq!(
            codes(&format!("{option} ."), Level::Error),
            ["option-value"],
            "{option}"
        );
    }
    let ignored = [
        "--compress",
        "--force-rm",
        "--cpu-shares 5",
        "-c 5",
        "--memory-swap=-1",
        "--disable-content-trust=false",
    ];
    for option in ignored {
        let text = format!("{option} .");
        assert_eq!(codes(&text, Level::Error), Vec::<&str>::new(), "{option}");
        assert_eq!(codes(&text, Level::Warning), ["option-ignored"], "{option}");
    }
    for option in [
        "--isolation=default",
        "--load",
        "--rm",
        "--provenance=false",
        "--sbom=false",
        "--output type=docker",
    ] {
        assert!(read(&format!("{option} .")).1.is_empty(), "{option}");
    }
}

#[test]
fn the_host_network_needs_a_grant() {
    assert_eq!(good("--network=host .").grants, [Grant::HostNetwork]);
    assert_eq!(good("--network acb_default_network .").grants, []);
}

#[test]
fn rebuilding_one_stage_rebuilds_all_and_says_so() {
    assert!(good("--no-cache-filter build .").no_cache);
    assert_eq!(
        codes("--no-cache-filter build .", Level::Warning),
        ["option-dropped"]
    );
}

#[test]
fn mistakes_are_answered() {
    assert_eq!(codes("--no-cahe .", Level::Error), ["option-unknown"]);
    assert_eq!(codes(". && echo", Level::Error), ["shell-operator"]);
    assert_eq!(codes("-t", Level::Error), ["option-value"]);
    assert_eq!(
        codes("--build-arg A=$B .", Level::Warning),
        ["shell-expansion"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_build_makes_the_reader_stumble(
        words in proptest::collection::vec("--?[a-z-]{1,12}(=[^ ]{0,8})?|[a-z:/.=,-]{0,12}|['\"$`&;\\\\#é]{1,4}", 0..8),
    ) {
        let text = words.join(" ");
        let (build, found) = read(&text);
        prop_assert!(!build.context.is_empty());
        for finding in found.iter() {
            let span = finding.span.expect("a place");
            prop_assert!(text.get(span.start..span.end).is_some());
        }
    }
}

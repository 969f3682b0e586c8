//! A task file goes through comments, aliases, secrets and templates in ACR's order, and keeps its places.

use careen::spec::load::{Loaded, alias_sources, load, secrets_needed};
use careen::spec::render::{Draws, Inputs, render_text};
use careen::spec::values::{self, RunVars};
use chrono::DateTime;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// All that a file is loaded with, owned.
struct World {
    run: RunVars,
    values: Value,
    secrets: BTreeMap<String, String>,
    masked: Vec<String>,
    draws: Draws,
    alias_files: BTreeMap<String, String>,
}

impl World {
    fn new() -> Self {
        let run = RunVars {
            id: "r1".into(),
            registry: "my.azurecr.io".into(),
            date: DateTime::from_timestamp(1_274_361_262, 0).expect("a date"),
            os: "linux".into(),
            ..RunVars::default()
        };
        Self {
            run,
            values: json!({"name": "web", "deep": {"a": {"b": 1}}, "lines": "one\ntwo"}),
            secrets: BTreeMap::from([("token".into(), "s3cret".into())]),
            masked: Vec::new(),
            draws: Draws {
                now: DateTime::UNIX_EPOCH,
                seed: [0; 32],
            },
            alias_files: BTreeMap::from([("more.yaml".into(), "tool: tools/tool:1\n".into())]),
        }
    }

    fn inputs(&self) -> Inputs<'_> {
        Inputs {
            run: &self.run,
            values: &self.values,
            secrets: &self.secrets,
            masked: &self.masked,
            draws: &self.draws,
            alias_files: &self.alias_files,
        }
    }

    fn load(&self, text: &str) -> Loaded {
        load(text, &self.inputs())
    }
}

/// Renders a text that need not be a valid task.
fn rendered(text: &str) -> String {
    let loaded = World::new().load(text);
    let findings = &loaded.diagnostics;
    assert!(!loaded.rendered.is_empty(), "{text}: {findings:?}");
    let lines = loaded.rendered.lines().map(str::trim_end);
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_data_of_a_template_is_that_of_acr() {
    let cases = [
        ("{{.Run.ID}} {{.Build.ID}}", "r1 r1"),
        (
            "{{.Run.Registry}} {{.Run.RegistryName}}",
            "my.azurecr.io my",
        ),
        ("{{.Run.Date}}", "20100520-131422z"),
        (
            "{{.Run.Commit}}|{{.Run.Nope}}|{{.Values.nope}}|<no value>|",
            "||||",
        ),
        ("{{.Values.name}} {{.Values.deep.a.b}}", "web 1"),
        ("{{.Secrets.token}}{{.Secrets.nope}}", "s3cret"),
        (
            "{{.ValuesJSON}}",
            r#"'{"deep":{"a":{"b":1}},"lines":"one\ntwo","name":"web"}'"#,
        ),
        (
            "{{.RunJSON}}",
            r#"'{"Architecture":"","Branch":"","Commit":"","Date":"20100520-131422z","GitTag":"","ID":"r1","OS":"linux","OSVersion":"","Registry":"my.azurecr.io","RegistryName":"my","Repository":"","SharedVolume":"","TaskName":"","TriggeredBy":""}'"#,
        ),
    ];
    let world = World::new();
    for (text, expected) in cases {
        assert_eq!(
            render_text(text, &world.inputs()).as_deref(),
            Ok(expected),
            "{text}"
        );
    }
}

#[test]
fn json_is_printed_as_go_prints_it() {
    let cases = [
        (
            json!({"b": 1, "a": [true, null, "x"]}),
            r#"{"a":[true,null,"x"],"b":1}"#,
        ),
        (
            json!("<a>&\u{2028}\"\\\n\r\t\u{1}\u{8}\u{c}é\u{7f}"),
            "\"\\u003ca\\u003e\\u0026\\u2028\\\"\\\\\\n\\r\\t\\u0001\\b\\fé\u{7f}\"",
        ),
        (json!(1.0), "1"),
        (json!(-0.5), "-0.5"),
        (json!(1e21), "1e+21"),
        (json!(1e20), "100000000000000000000"),
        (json!(1.5e-7), "1.5e-7"),
        (json!(0.000001), "0.000001"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!({}), "{}"),
    ];
    for (value, expected) in cases {
        assert_eq!(values::to_json(&value), expected);
    }
}

#[test]
fn json_is_quoted_for_a_shell_where_needed() {
    let cases = [
        ("", "''"),
        ("''", r#"''"'"''"'"''"#),
        ("double quotes", "'double quotes'"),
        ("a_b^@=+%,:./-", "a_b^@=+%,:./-"),
        (r"{;$\}", r"'{;$\}'"),
        ("é", "'é'"),
    ];
    for (text, expected) in cases {
        assert_eq!(values::shell_quoted(text), expected);
    }
}

#[test]
fn assignments_win_over_files_and_later_ones_over_earlier_ones() {
    let owned = |sets: &[&str]| sets.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let values = values::read(
        &[
            "a: 1\nm: {x: 1, w: 1}\nl: [1]",
            "m: {w: 2, z: 2}\nb: file",
            "",
        ],
        &owned(&["a=x", "a=1,b=2", "b==y", "c.d=e", "f", "g="]),
        &owned(&["h=hush", "a=last", "i="]),
    )
    .expect("good");
    let expected = json!({
        "a": "last", "m": {"x": 1, "w": 2, "z": 2}, "l": [1], "b": "=y", "c.d": "e", "f": "", "g": "", "h": "hush", "i": "",
    });
    assert_eq!(values.map, expected);
    assert_eq!(values.secrets, ["hush", "last"]);
    assert!(!format!("{values:?}").contains("hush"));
    for set in ["", "=x", "   ", "==="] {
        assert!(values::read(&[], &owned(&[set]), &[]).is_err(), "{set:?}");
    }
    let error = values::read(&[], &[], &owned(&["=hush"])).expect_err("no name");
    assert!(!error.to_string().contains("hush"));
    for text in ["- a", "x", "a: [", "a: b: c"] {
        assert!(values::read(&["", text], &[], &[]).is_err(), "{text:?}");
    }
}

#[test]
fn comments_never_reach_a_template() {
    let cases = [
        ("# {{ broken\nversion: v1.0.0\n", "\nversion: v1.0.0"),
        (
            "version: v1.0.0 # {{ broken\nsteps: # {{\n",
            "version: v1.0.0\nsteps:",
        ),
        (
            "steps:\n  - cmd: a\n    # {{ $Registry\n",
            "steps:\n  - cmd: a\n",
        ),
        ("a: b # plain\n", "a: b # plain"),
        ("a: b# {{.Run.ID}}\n", "a: b# r1"),
        ("a: 'x # {{.Run.ID}}'\n", "a: 'x # r1'"),
        ("a: {{\"x # {{\"}} y\n", "a: x # {{ y"),
    ];
    for (text, expected) in cases {
        assert_eq!(rendered(text).trim_end(), expected.trim_end(), "{text:?}");
    }
}

#[test]
fn what_looks_like_a_comment_inside_a_block_scalar_stays() {
    let cases = [
        "cmd: |\n  #!/bin/sh\n  # {{.Run.ID}}\n  echo\n",
        "steps:\n  - cmd: >-\n      # {{.Run.ID}}\n\n      # b\n",
        "- |\n # {{.Run.ID}}\n",
        "a: !!str &x |+2 # note\n    # {{.Run.ID}}\n",
        "'a b': |\n  # {{.Run.ID}}\n",
        "a: \"x\n  # {{.Run.ID}}\n  y\"\n",
        "a: 'it''s\n  # {{.Run.ID}}'\n",
        "- - key: |\n      # {{.Run.ID}}\n",
    ];
    for text in cases {
        let expected = text.replace("{{.Run.ID}}", "r1");
        assert_eq!(rendered(text), expected.trim_end(), "{text:?}");
    }
}

#[test]
fn a_comment_behind_a_block_scalar_is_one() {
    let cases = [
        ("a: |\n  x\n# {{ c\nb: 1\n", "a: |\n  x\n\nb: 1"),
        (
            "- a: |\n    x\n  # {{ c\n  b: 1\n",
            "- a: |\n    x\n\n  b: 1",
        ),
        ("a: |\n# {{ c\n  x # {{.Run.ID}}\n", "a: |\n\n  x # r1"),
        ("a: x |\n  # {{ c\n", "a: x |\n"),
        ("a: |x\n  # {{ c\n", "a: |x\n"),
        ("a: \"x\" # |\n  # {{ c\n", "a: \"x\" # |\n"),
    ];
    for (text, expected) in cases {
        assert_eq!(rendered(text), expected, "{text:?}");
    }
}

#[test]
fn aliases_are_replaced_only_where_the_version_has_them() {
    let body = "alias:\n  values: {me: '{{.Values.name}}'}\n  src: [more.yaml]\nsteps:\n  - cmd: $Registry/$me:$ID $tool $HOME\n";
    let on = rendered(&format!("version: v1.1.0\n{body}"));
    assert_eq!(
        on,
        "version: v1.1.0\n\n\n\nsteps:\n  - cmd: my.azurecr.io/web:r1 tools/tool:1 $HOME"
    );
    let off = rendered(&format!("version: v1.0.0\n{body}"));
    assert!(off.ends_with("$Registry/$me:$ID $tool $HOME"), "{off}");
}

#[test]
fn an_alias_may_bring_lines_and_templates() {
    let text = "version: v1.1.0\nalias:\n  values:\n    step: \"id: a\\n    cmd: $x {{.Run.ID}}\"\nsteps:\n  - $step\n";
    assert!(rendered(text).ends_with("steps:\n  - id: a\n    cmd: $x r1"));
}

#[test]
fn the_sources_of_aliases_are_listed_for_the_caller() {
    let world = World::new();
    let sources = |text: &str| alias_sources(text, &world.inputs());
    let text = "version: v1.1.0\nalias:\n  # - no\n  src:\n    - a.yaml\n    - https://x/{{.Values.name}}.yaml\n";
    assert_eq!(
        sources(text),
        Ok(vec!["a.yaml".into(), "https://x/web.yaml".into()])
    );
    assert_eq!(sources(&text.replace("v1.1.0", "v1.0.0")), Ok(vec![]));
    assert_eq!(sources("version: v1.1.0\nsteps: []\n"), Ok(vec![]));
    assert!(sources("version: v1.1.0\nalias: {{ x\n").is_err());
    let missing = world.load(text);
    assert_eq!(missing.diagnostics.iter().count(), 2);
}

#[test]
fn the_secrets_of_a_file_are_listed_before_any_is_known() {
    let world = World::new();
    let text = "secrets:\n  - id: {{.Values.name}}-{{.Run.ID}}\n    keyvault: https://V.vault.azure.net/secrets/X\n    clientID: c\n  \
                - id: nothing\nsteps:\n  - cmd: '{{.Secrets.token}}'\n";
    let found = secrets_needed(text, &world.inputs()).expect("good");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, "web-r1");
    assert_eq!(found[0].keyvault, "https://v.vault.azure.net/secrets/x");
    assert_eq!(found[0].client_id.as_deref(), Some("c"));
    for text in [
        "",
        "steps: []\n",
        "# secrets\n",
        "steps: [{id: secrets, cmd: a}]\n",
        "secrets: x\n",
    ] {
        assert_eq!(
            secrets_needed(text, &world.inputs()),
            Ok(vec![]),
            "{text:?}"
        );
    }
}

#[test]
fn an_empty_file_is_a_task_and_a_file_rendered_to_nothing_is_not() {
    let world = World::new();
    for text in [
        "",
        "\n",
        "# only a comment\n",
        "# {{.Values.nope}}",
        "{{.Values.nope}}\n",
        " {{.Values.nope}}",
    ] {
        let loaded = world.load(text);
        assert!(loaded.task.is_some(), "{text:?}: {:?}", loaded.diagnostics);
    }
    for text in [
        "{{.Values.nope}}",
        "# c\n{{.Values.nope}}",
        "{{.Values.nope}}\n# c",
    ] {
        let loaded = world.load(text);
        let messages: Vec<&str> = loaded
            .diagnostics
            .iter()
            .map(|d| d.message.as_str())
            .collect();
        assert_eq!(messages, ["rendered template was empty"], "{text:?}");
    }
    assert!(render_text("{{.Values.nope}}", &world.inputs()).is_err());
}

#[test]
fn an_error_of_a_template_is_shown_where_it_is_written() {
    let world = World::new();
    let task = "unable to render task";
    let cases = [
        ("version: v1.0.0\nsteps: {{ x\n", 2, task),
        (
            "version: v1.1.0\nalias:\n  values: {a: '{{ x'}\n",
            3,
            "unable to render alias data",
        ),
        (
            "version: v1.1.0\nsteps: # é\n  - cmd: $Registry {{ x\n",
            3,
            task,
        ),
        (
            "version: v1.1.0\nalias:\n  values:\n    bad: '{{\"{{\"}} x'\nsteps: $bad\n",
            5,
            task,
        ),
    ];
    for (text, line, message) in cases {
        let loaded = world.load(text);
        let finding = loaded.diagnostics.iter().next().expect(text);
        assert!(finding.message.starts_with(message), "{}", finding.message);
        let span = finding.span.expect(text);
        assert_eq!(text[..span.start].split('\n').count(), line, "{text}");
        assert!(loaded.task.is_none());
        if line == 5 {
            assert_eq!(&text[span.start..span.end], "$bad");
        }
    }
}

#[test]
fn each_rendered_line_knows_its_line_of_the_file() {
    let text = "version: v1.1.0\nalias:\n  values: {two: \"a\\n# b\"}\n# c\nx: $two\ny: {{.Values.lines}}\nz: 1\n";
    let loaded = World::new().load(text);
    let pairs: Vec<(&str, u32)> = loaded
        .rendered
        .lines()
        .map(str::trim)
        .zip(loaded.lines.clone())
        .collect();
    let expected = [
        ("version: v1.1.0", 1),
        ("", 2),
        ("", 3),
        ("", 4),
        ("x: a", 5),
        ("# b", 5),
        ("y: one", 6),
        ("two", 6),
        ("z: 1", 7),
    ];
    assert_eq!(pairs, expected);
}

#[test]
fn the_use_of_the_registry_is_seen_in_live_text_only() {
    let world = World::new();
    let uses = |text: &str| -> Vec<String> {
        let spans = world.load(text).uses_registry;
        spans
            .iter()
            .map(|span| text[span.start..span.end].to_owned())
            .collect()
    };
    let aliased = "version: v1.1.0\n# $Registry\nsteps:\n  - cmd: $Registry/a $RegistryName $ID # $Registry\n";
    assert_eq!(uses(aliased), ["$Registry", "$RegistryName"]);
    let plain = "# {{.Run.Registry}}\na: {{.Run.Registry}}/{{ .Run.RegistryName }} {{.Run.RegistryOther}} .Run.Registry\n";
    assert_eq!(uses(plain), [".Run.Registry", ".Run.RegistryName"]);
    assert_eq!(
        uses("version: v1.1.0\nalias:\n  values: {Registry: x}\nsteps: $Registry\n"),
        Vec::<String>::new()
    );
}

#[test]
fn a_version_that_turns_aliases_off_by_mistake_is_warned_about() {
    let warnings = |text: &str| -> Vec<String> {
        let loaded = World::new().load(text);
        let of_us = loaded
            .diagnostics
            .iter()
            .filter(|d| d.code == "aliases-off");
        of_us
            .map(|d| {
                let s = d.span.expect("a place");
                text[s.start..s.end].to_owned()
            })
            .collect()
    };
    assert_eq!(warnings("version: V1.1.0\n"), ["V1.1.0"]);
    assert_eq!(warnings("steps:\n  - cmd: $Registry/a\n"), ["$Registry"]);
    assert_eq!(
        warnings("version: v1.1.0\nsteps:\n  - cmd: $Registry/a\n"),
        Vec::<String>::new()
    );
    assert_eq!(warnings("steps: # $Registry\n"), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_mutation_makes_loading_stumble(cuts in proptest::collection::vec((0usize..400, 0usize..12, "[ \\n#:|>$'\"{}é-]{0,4}"), 0..6)) {
        let mut text = "version: v1.1.0\n# {{ c\nalias:\n  values:\n    a: \"é {{.Values.name}}\"\n  directive: $\nsecrets:\n  - id: x\n    \
            keyvault: https://v\nsteps:\n  - cmd: |\n      # {{.Run.ID}}\n      $a $Registry\n  - build: -t $a:$ID . # {{ x\n    env: ['A={{.Secrets.token}}']\n".to_owned();
        for (at, length, insert) in cuts {
            let floor = |mut at: usize| { at = at.min(text.len()); while !text.is_char_boundary(at) { at -= 1; } at };
            let (start, end) = (floor(at), floor(at + length));
            text.replace_range(start..end, &insert);
        }
        let world = World::new();
        let loaded = world.load(&text);
        for finding in loaded.diagnostics.iter() {
            if let Some(span) = finding.span {
                prop_assert!(text.get(span.start..span.end).is_some(), "{span:?} in {text:?}");
            }
        }
        for line in &loaded.lines {
            prop_assert!((*line as usize) <= text.split('\n').count());
        }
        let _ = alias_sources(&text, &world.inputs());
        let _ = secrets_needed(&text, &world.inputs());
    }
}

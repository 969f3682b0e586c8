//! Promise: a template renders as Go and sprig render it, and no template can hurt the engine.
use careen::template::{Draws, Limits, TemplateError, Value, render};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Deserialize;
use std::time::{Duration, Instant};

/// Is what Go answered: template, index of its data, whether it rendered, and its output if so.
#[derive(Deserialize)]
struct Oracle {
    data: Vec<serde_json::Value>,
    cases: Vec<serde_json::Value>,
}

/// Is one question to Go with its answer.
struct Case {
    template: String,
    data: usize,
    expected: Option<String>,
}

fn oracle() -> (Vec<Value>, Vec<Case>) {
    let oracle: Oracle = serde_json::from_str(include_str!("../data/go-templates.json"))
        .expect("the oracle is JSON");
    let case = |row: &serde_json::Value| Case {
        template: row[0].as_str().expect("a template").to_owned(),
        data: row[1].as_u64().expect("an index") as usize,
        expected: row[2]
            .as_bool()
            .expect("ok or not")
            .then(|| row[3].as_str().expect("an output").to_owned()),
    };
    let cases = oracle.cases.iter().map(case).collect();
    (oracle.data.into_iter().map(Value::from).collect(), cases)
}

fn draws() -> Draws {
    Draws {
        now: chrono::DateTime::from_timestamp(1_700_000_000, 0).expect("a valid time"),
        seed: [7; 32],
    }
}

fn rendered(template: &str, data: &Value) -> Result<String, TemplateError> {
    render(template, data, &draws(), &Limits::default()).map(|rendered| rendered.text)
}

#[test]
fn every_template_renders_as_go_renders_it() {
    let (data, cases) = oracle();
    let mut wrong = Vec::new();
    for case in &cases {
        let answer = rendered(&case.template, &data[case.data]);
        if answer.as_ref().ok() != case.expected.as_ref() {
            wrong.push(format!(
                "{}\n  Go:   {:?}\n  here: {answer:?}",
                case.template, case.expected
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

/// Renders on a thread with as little stack as any thread of the engine has.
fn rendered_on_a_small_stack(template: String) -> Result<String, TemplateError> {
    let render = move || {
        rendered(
            &template,
            &Value::from(serde_json::json!({"l": [1, 2, 3], "s": "text"})),
        )
    };
    let thread = std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(render)
        .expect("a thread starts");
    thread.join().expect("no template panics")
}

/// Lists templates that would exhaust time, memory or stack if nothing bounded them.
fn hostile() -> Vec<String> {
    let deep = |open: &str, core: &str, close: &str, depth: usize| {
        format!("{}{core}{}", open.repeat(depth), close.repeat(depth))
    };
    let doubling: String = (1..60).map(|n| {
        format!("{{{{define \"t{n}\"}}}}{{{{template \"t{0}\"}}}}{{{{template \"t{0}\"}}}}{{{{end}}}}", n - 1)
    }).collect();
    let mut templates = vec![
        format!("{{{{{}}}}}", deep("(", "1", ")", 5_000)),
        format!("{{{{{}}}}}", deep("(", "1", ")", 400_000)),
        deep("{{if 1}}", "x", "{{end}}", 5_000),
        deep("{{range 2}}", "x", "{{end}}", 5_000),
        deep("{{range 2}}", "x", "{{end}}", 90),
        format!("{{{{if 0}}}}{}{{{{end}}}}", "{{else if 0}}x".repeat(5_000)),
        format!(
            "{{{{with 0}}}}{}{{{{end}}}}",
            "{{else with 0}}x".repeat(5_000)
        ),
        format!("{doubling}{{{{define \"t0\"}}}}x{{{{end}}}}{{{{template \"t59\"}}}}"),
        format!("{doubling}{{{{define \"t0\"}}}}{{{{end}}}}{{{{template \"t59\"}}}}"),
        format!(
            "{{{{define \"f\"}}}}{}{{{{end}}}}{{{{template \"f\" .}}}}",
            deep("{{if 1}}", "{{template \"f\" (((.)))}}", "{{end}}", 90)
        ),
        format!("{{{{$s := .s}}}}{}", "{{$s = print $s $s}}".repeat(60)),
        format!(
            "{{{{$l := .l}}}}{}{{{{$l}}}}",
            "{{$l = list $l $l}}".repeat(60)
        ),
        format!(
            "{{{{$l := .l}}}}{}{{{{toJson $l}}}}",
            "{{$l = list $l $l}}".repeat(60)
        ),
        format!(
            "{{{{$l := .l}}}}{}{{{{deepEqual $l (deepCopy $l)}}}}",
            "{{$l = list $l $l}}".repeat(60)
        ),
        format!(
            "{{{{$l := .l}}}}{}{{{{len $l}}}}",
            "{{$l = concat $l $l}}".repeat(60)
        ),
        "{{a".repeat(300_000),
        "x".repeat(2 << 20),
        format!("{{{{print {}}}}}", "1 ".repeat(300_000)),
        format!("{{{{1{}}}}}", "|print".repeat(200_000)),
    ];
    templates.extend(
        include_str!("../data/hostile-templates.txt")
            .lines()
            .map(str::to_owned),
    );
    templates
}

/// Lists templates that look dangerous and yet are soon done.
const HARMLESS: &[&str] = &[
    r#"{{regexMatch "(x+x+)+y" (repeat 100000 "x")}}"#,
    r#"{{div -9223372036854775807 -1}}{{add -9223372036854775807 -9 | mod -1}}{{abbrev 9223372036854775807 "x"}}"#,
    r#"{{abbrevboth -9223372036854775807 9223372036854775807 "x"}}{{abbrevboth 9223372036854775807 9 (repeat 99 "x")}}"#,
    r#"{{round 1.5 9223372036854775807}}{{round 1e308 400}}{{int 1e300}}"#,
];

/// Renders a template and insists that it is soon done.
fn bounded(template: String) -> Result<String, TemplateError> {
    let shown: String = template.chars().take(100).collect();
    let begin = Instant::now();
    let answer = rendered_on_a_small_stack(template);
    let elapsed = begin.elapsed();
    // Each takes well under a second; the rest is room for a busy machine.
    assert!(
        elapsed < Duration::from_secs(20),
        "{shown} took {elapsed:?}"
    );
    answer
}

#[test]
fn no_template_can_exhaust_the_engine() {
    for template in hostile() {
        let shown: String = template.chars().take(100).collect();
        assert!(bounded(template).is_err(), "{shown} was rendered");
    }
    for template in HARMLESS {
        assert!(
            bounded((*template).to_owned()).is_ok(),
            "{template} was refused"
        );
    }
}

/// Changes, drops, doubles or swaps pieces of a template.
fn mutate(template: &str, random: &mut StdRng) -> String {
    const PIECES: &[&str] = &[
        "{{",
        "}}",
        "{{-",
        "-}}",
        "(",
        ")",
        "|",
        "\"",
        "`",
        "'",
        ".",
        "$",
        "$x",
        ":=",
        "=",
        ",",
        " ",
        "\n",
        "/*",
        "*/",
        "nil",
        "end",
        "else",
        "if",
        "range",
        "with",
        "define",
        "template",
        "block",
        "break",
        "-1",
        "0",
        "9223372036854775807",
        "1e309",
        "0x",
        "\\",
        "\\x",
        "\\u12",
        "%d",
        "%[",
        "%*",
        "é",
        "\u{10ffff}",
        "\0",
        "[",
        "]",
        "{",
        "}",
        "list",
        "dict",
    ];
    let mut characters: Vec<char> = template.chars().collect();
    for _ in 0..random.random_range(1..4) {
        let place = random.random_range(0..=characters.len());
        let end = (place + random.random_range(0..6)).min(characters.len());
        match random.random_range(0..4) {
            0 => drop(characters.drain(place..end)),
            1 => {
                let piece = PIECES[random.random_range(0..PIECES.len())];
                characters.splice(place..place, piece.chars());
            }
            2 => {
                let copy = characters[place..end].to_vec();
                characters.splice(place..place, copy);
            }
            _ => characters[place..end].reverse(),
        }
    }
    characters.into_iter().collect()
}

#[test]
fn no_mutation_of_a_template_panics() {
    let (data, cases) = oracle();
    let mut random = StdRng::seed_from_u64(20_260_101);
    for _ in 0..4_000 {
        let case = &cases[random.random_range(0..cases.len())];
        if case.template.contains("derivePassword") {
            continue;
        }
        let mutant = mutate(&case.template, &mut random);
        if let Err(error) = rendered(&mutant, &data[case.data]) {
            assert!(
                mutant.get(error.span.clone()).is_some(),
                "{mutant}: {error:?}"
            );
        }
    }
}

#[test]
fn every_output_line_knows_its_source_line() {
    let source = "a\n{{- if true}}\nb{{end}}\n{{range .l}}{{.}}\n{{end}}c {{\"x\\ny\"}}\n{{define \"t\"}}\nd\n{{end}}{{template \"t\"}}e";
    let data = Value::from(serde_json::json!({"l": [1, 2]}));
    let rendered = render(source, &data, &draws(), &Limits::default()).expect("it renders");
    assert_eq!(rendered.text, "a\nb\n1\n2\nc x\ny\n\nd\ne");
    assert_eq!(rendered.lines, [1, 3, 4, 4, 5, 5, 6, 7, 8]);
}

#[test]
fn an_error_points_at_its_place_and_says_what_was_expected() {
    let data = Value::from(serde_json::json!({"n": 3, "nul": null}));
    for (source, line, column, message) in [
        (
            "a\né {{ .n | upper }}",
            2,
            11,
            "wrong type for value; expected string; got int",
        ),
        ("{{upper 3}}", 1, 9, "expected string; found 3"),
        ("{{nope 1}}", 1, 3, "function \"nope\" not defined"),
        ("{{.x.y}}", 1, 3, "nil pointer evaluating interface {}.y"),
        ("{{.x | upper}}", 1, 8, "invalid value; expected string"),
        ("{{if true}}x", 1, 13, "unexpected EOF"),
        ("{{template \"x\"}}", 1, 12, "template \"x\" not defined"),
        (
            "{{index . 1}}",
            1,
            3,
            "at <index . 1>: error calling index: value has type int; should be string",
        ),
        (
            "{{join \",\"}}",
            1,
            3,
            "wrong number of args for join: want 2 got 1",
        ),
        (
            "{{fail \"no\"}}",
            1,
            3,
            "at <fail \"no\">: error calling fail: no",
        ),
        ("{{$x}}", 1, 3, "undefined variable \"$x\""),
    ] {
        let error = rendered(source, &data).expect_err(source);
        assert_eq!(
            (error.line, error.column, error.message.as_str()),
            (line, column, message),
            "{source}"
        );
    }
}

#[test]
fn functions_that_reach_outside_are_refused_by_name_before_anything_runs() {
    for name in [
        "env",
        "expandenv",
        "getHostByName",
        "genPrivateKey",
        "genCA",
        "genSelfSignedCert",
        "genSignedCert",
        "buildCustomCert",
    ] {
        let error = rendered(
            &format!("{{{{if false}}}}{{{{{name} \"x\"}}}}{{{{end}}}}"),
            &Value::Nil,
        )
        .expect_err(name);
        assert!(
            error.message.contains(name) && error.message.contains("refused"),
            "{error}"
        );
        assert!(error.help.is_some(), "{error}");
    }
    let error = rendered("{{uper \"x\"}}", &Value::Nil).expect_err("no such function");
    assert_eq!(error.help.as_deref(), Some("did you mean \"upper\"?"));
}

#[test]
fn the_clock_and_the_dice_are_those_handed_in() {
    let source = "{{now | date \"2006-01-02 15:04:05\"}} {{randAlphaNum 8}} {{uuidv4}} {{shuffle \"abcdef\"}} {{encryptAES \"k\" \"t\"}}";
    let first = rendered(source, &Value::Nil).expect("it renders");
    assert_eq!(rendered(source, &Value::Nil).as_ref(), Ok(&first));
    assert!(first.starts_with("2023-11-14 22:13:20 "), "{first}");
    let other = Draws {
        seed: [8; 32],
        ..draws()
    };
    let second = render(source, &Value::Nil, &other, &Limits::default()).expect("it renders");
    assert_ne!(second.text, first);
    let opened = rendered(
        "{{encryptAES \"key\" \"a text of some length\" | decryptAES \"key\"}}",
        &Value::Nil,
    );
    assert_eq!(opened.as_deref(), Ok("a text of some length"));
}

#[test]
fn a_template_changes_its_own_copy_of_the_data_only() {
    let data = Value::from(serde_json::json!({"m": {"a": 1}}));
    let source = "{{$x := set .m \"b\" 2}}{{.m}}";
    for _ in 0..2 {
        assert_eq!(rendered(source, &data).as_deref(), Ok("map[a:1 b:2]"));
        assert_eq!(rendered("{{.m}}", &data).as_deref(), Ok("map[a:1]"));
    }
}

//! Promise: a template renders as Go and sprig render it, and no template can hurt the engine.
use careen::template::{Draws, Limits, TemplateError, Value, render};
use serde::Deserialize;

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
    let refused = ["getHostByName"];
    for case in cases
        .iter()
        .filter(|case| !refused.iter().any(|name| case.template.contains(name)))
    {
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

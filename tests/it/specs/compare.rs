//! Compares how a spec ended with what its neighbour says.

use super::{
    expected::{EngineName, Expected, ExpectedStep, Time},
    seen::{Seen, SeenRun, SeenStep},
};

/// Says what differs, a line each; nothing when all is as it must be.
pub fn differences(expected: &Expected, seen: &Seen, engine: EngineName) -> Vec<String> {
    let mut found = Vec::new();
    match seen {
        Seen::Refused(text) if expected.refused.is_empty() => {
            found.push(format!("it was refused: {text}"));
        }
        Seen::Refused(text) => {
            let missing = expected.refused.iter().filter(|part| !text.contains(*part));
            found.extend(missing.map(|part| format!("the refusal lacks {part:?}: {text}")));
        }
        Seen::Ran(_) if !expected.refused.is_empty() => found.push("it was not refused".to_owned()),
        Seen::Ran(run) => compare_run(expected, run, engine, &mut found),
    }
    found
}

fn compare_run(expected: &Expected, run: &SeenRun, engine: EngineName, found: &mut Vec<String>) {
    let status = expected.run.as_deref().unwrap_or("succeeded");
    if run.status != status {
        let (is, why) = (&run.status, &run.reason);
        found.push(format!("the run {is} ({why}), instead of {status}"));
    }
    contains(found, "the run's reason", &run.reason, &expected.reason);
    let exit = exit_code(status);
    if run.exit.is_some_and(|code| code != exit) {
        let is = run.exit;
        found.push(format!("careen exited with {is:?}, instead of {exit}"));
    }
    compare_warnings(&expected.warned, &run.warnings, found);
    time(found, "the run", run.seconds, &expected.takes);
    for step in &run.steps {
        match expected.steps.get(&step.id) {
            Some(wanted) => compare_step(wanted, step, found),
            None => found.push(format!("step {} is not expected", step.id)),
        }
    }
    let missing = expected.steps.keys().filter(|id| run.step(id).is_none());
    found.extend(missing.map(|id| format!("there is no step {id}")));
    let misplaced = expected.order.iter().filter_map(|rule| order(rule, run));
    found.extend(misplaced);
    if !run.left_over.is_empty() {
        found.push(format!("left on the engine: {:?}", run.left_over));
    }
    for (path, content) in &expected.files {
        let is = run.files.get(path);
        if is != Some(content) {
            found.push(format!("file {path} is {is:?}, instead of {content:?}"));
        }
    }
    // The real registry was asked for what is expected; the one in memory tells all that it has.
    let is_exact = engine == EngineName::Memory;
    let missing = expected.pushed.iter().filter(|it| !run.pushed.contains(it));
    found.extend(missing.map(|it| format!("{it} was not pushed")));
    let extra = run.pushed.iter().filter(|it| !expected.pushed.contains(it));
    found.extend(
        extra
            .filter(|_| is_exact)
            .map(|it| format!("{it} was pushed")),
    );
}

/// The exit code of `careen run`.
fn exit_code(status: &str) -> i32 {
    match status {
        "succeeded" => 0,
        "failed" => 1,
        "timed_out" => 4,
        _ => 3,
    }
}

fn compare_warnings(expected: &[String], seen: &[String], found: &mut Vec<String>) {
    for text in expected {
        if !seen.iter().any(|warning| warning.contains(text)) {
            found.push(format!("no warning says {text:?}: {seen:?}"));
        }
    }
    for warning in seen {
        if !expected.iter().any(|text| warning.contains(text)) {
            found.push(format!("a warning is not expected: {warning}"));
        }
    }
}

fn compare_step(expected: &ExpectedStep, step: &SeenStep, found: &mut Vec<String>) {
    let id = &step.id;
    let status = expected.status();
    if step.status != status {
        let (is, why) = (&step.status, &step.reason);
        found.push(format!("step {id}: {is} ({why}), instead of {status}"));
    }
    if step.ignored != expected.ignored {
        found.push(format!("step {id}: ignored is {}", step.ignored));
    }
    let attempts = expected.attempts();
    if step.attempts != attempts {
        let is = step.attempts;
        found.push(format!("step {id}: {is} attempts, instead of {attempts}"));
    }
    if expected.exit.is_some() && step.exit != expected.exit {
        let (is, wanted) = (step.exit, expected.exit);
        found.push(format!("step {id}: exit {is:?}, instead of {wanted:?}"));
    }
    contains(
        found,
        &format!("step {id}: the reason"),
        &step.reason,
        &expected.reason,
    );
    time(
        found,
        &format!("step {id}"),
        step.seconds(),
        &expected.takes,
    );
    compare_log(expected, step, found);
}

fn compare_log(expected: &ExpectedStep, step: &SeenStep, found: &mut Vec<String>) {
    let (id, log) = (&step.id, &step.log);
    let mut rest = log.iter();
    if let Some(missing) = expected
        .log
        .iter()
        .find(|part| !rest.any(|line| line.contains(*part)))
    {
        found.push(format!("step {id}: the log lacks {missing:?}: {log:?}"));
    }
    if expected.log_is.as_ref().is_some_and(|wanted| wanted != log) {
        let wanted = expected.log_is.as_ref();
        found.push(format!(
            "step {id}: the log is {log:?}, instead of {wanted:?}"
        ));
    }
    for part in &expected.log_lacks {
        if log.iter().any(|line| line.contains(part)) {
            found.push(format!("step {id}: the log holds {part:?}: {log:?}"));
        }
    }
}

/// Checks `a before b` or `a beside b`.
fn order(rule: &str, run: &SeenRun) -> Option<String> {
    let words: Vec<&str> = rule.split_whitespace().collect();
    let [a, relation, b] = words[..] else {
        return Some(format!("the order {rule:?} is not three words"));
    };
    let (a, b) = (run.step(a)?, run.step(b)?);
    let holds = match relation {
        "before" => a.ended_at.is_some() && a.ended_at <= b.started_at,
        "beside" => a.started_at < b.ended_at && b.started_at < a.ended_at,
        other => return Some(format!("{other:?} is no order")),
    };
    (!holds).then(|| {
        let times = |step: &SeenStep| format!("{:?} to {:?}", step.started_at, step.ended_at);
        format!("not so: {rule} ({}; {})", times(a), times(b))
    })
}

fn contains(found: &mut Vec<String>, what: &str, text: &str, part: &Option<String>) {
    if let Some(part) = part.as_deref().filter(|part| !text.contains(part)) {
        found.push(format!("{what} lacks {part:?}: {text:?}"));
    }
}

fn time(found: &mut Vec<String>, what: &str, seconds: f64, wanted: &Time) {
    let is_short = wanted.at_least.is_some_and(|least| seconds < least as f64);
    let is_long = wanted.under.is_some_and(|most| seconds >= most as f64);
    if is_short || is_long {
        found.push(format!("{what} took {seconds} s, instead of {wanted:?}"));
    }
}

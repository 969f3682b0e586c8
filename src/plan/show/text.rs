//! The plan as a list by level.

use std::fmt::Write;

use super::{longest_chain, summary};
use crate::{plan::Plan, spec::Step};

/// Prints the levels in order, what each step waits for, and the longest chain.
pub(super) fn show(plan: &Plan) -> String {
    let count = plan.steps().len();
    if count == 0 {
        return "The task has no steps: it does nothing and succeeds.\n".to_owned();
    }
    let levels = plan.levels();
    let mut out = format!(
        "{count} step{} in {} level{}; steps of one level may run at the same time.\n",
        plural(count),
        levels.len(),
        plural(levels.len())
    );
    let width = plan
        .steps()
        .iter()
        .map(|s| s.id.len())
        .max()
        .unwrap_or(0)
        .min(32);
    for (number, level) in (1..).zip(&levels) {
        let _ = writeln!(out, "\nlevel {number}");
        for &step in level {
            line(&mut out, plan, step, width);
        }
    }
    let chain: Vec<&str> = longest_chain(plan)
        .into_iter()
        .map(|step| plan.step(step).id.as_str())
        .collect();
    let _ = writeln!(out, "\ncritical path: {}", chain.join(" → "));
    out
}

fn line(out: &mut String, plan: &Plan, step: u32, width: usize) {
    let it = plan.step(step);
    let _ = write!(
        out,
        "  {:width$}  {:5}  {}",
        it.id,
        it.kind.word(),
        summary(plan, step)
    );
    let mut notes: Vec<String> = notes(it);
    let mut parents: Vec<u32> = plan.parents(step).collect();
    parents.sort_unstable();
    if !parents.is_empty() {
        let ids: Vec<&str> = parents.iter().map(|p| plan.step(*p).id.as_str()).collect();
        notes.insert(0, format!("after {}", ids.join(", ")));
    }
    if !notes.is_empty() {
        let _ = write!(out, "  [{}]", notes.join("; "));
    }
    out.push('\n');
}

/// What makes a step unlike a plain one.
fn notes(step: &Step) -> Vec<String> {
    let mut notes = Vec::new();
    if step.detach {
        notes.push("detached".to_owned());
    }
    if step.retries > 0 {
        notes.push(format!("{} retries", step.retries));
    }
    if step.repeat > 0 {
        notes.push(format!("{} times", step.repeat + 1));
    }
    if step.ignore_errors {
        notes.push("errors ignored".to_owned());
    }
    if step.start_delay_seconds > 0 {
        notes.push(format!("waits {} s", step.start_delay_seconds));
    }
    notes
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

//! The table at the end of a run, and the same as JSON.

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::words::{duration, mark, status_word};
use crate::{
    app::Outcome,
    engine::RunState,
    plan::{CriticalPath, critical_path},
};

/// Draws the table of steps, with the critical path below.
pub fn summary(outcome: &Outcome) -> String {
    let state = &outcome.state;
    let path = path(state);
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["STEP", "STATUS", "TIME", "EXIT", "TRIES", ""]);
    for (position, step) in (0u32..).zip(state.plan().steps()) {
        let progress = state.step(position);
        let status = state.step_status(position);
        let exit = state.exit_code(position).map(|code| code.to_string());
        let mut note = state.reason(position).unwrap_or_default();
        if progress.ignored {
            note = format!("ignored. {note}");
        }
        if path.steps.contains(&position) && path.steps.len() > 1 {
            note = format!("◆ {note}");
        }
        table.add_row([
            Cell::new(clean(&step.id)),
            Cell::new(format!("{} {}", mark(status).0, status_word(status))),
            Cell::new(time(state, position)).set_alignment(CellAlignment::Right),
            Cell::new(exit.unwrap_or_default()).set_alignment(CellAlignment::Right),
            Cell::new(progress.attempt).set_alignment(CellAlignment::Right),
            Cell::new(clean(&note)),
        ]);
    }
    let mut text = if state.plan().steps().is_empty() {
        String::new()
    } else {
        format!("{}\n", table.trim_fmt())
    };
    if path.steps.len() > 1 {
        let ids: Vec<String> = path
            .steps
            .iter()
            .map(|step| clean(&state.plan().step(*step).id))
            .collect();
        let all = duration(i64::try_from(path.weight).unwrap_or(i64::MAX));
        text.push_str(&format!("◆ critical path: {} ({all})\n", ids.join(" → ")));
    }
    text
}

/// The result as JSON: `id` and `status` of the run first, then its steps.
pub fn to_json(outcome: &Outcome) -> Value {
    let state = &outcome.state;
    let steps: Vec<Value> = (0u32..)
        .zip(state.plan().steps())
        .map(|(position, step)| {
            let progress = state.step(position);
            json!({
                "id": step.id,
                "kind": step.kind.word(),
                "status": state.step_status(position),
                "ignored": progress.ignored,
                "attempts": progress.attempt,
                "exit_code": state.exit_code(position),
                "reason": state.reason(position),
                "milliseconds": milliseconds(state, position),
            })
        })
        .collect();
    let ids: Vec<&str> = path(state)
        .steps
        .iter()
        .map(|step| state.plan().step(*step).id.as_str())
        .collect();
    json!({
        "id": outcome.run.id,
        "status": outcome.run.status,
        "reason": outcome.run.reason,
        "created_at": outcome.run.created_at,
        "started_at": outcome.run.started_at,
        "ended_at": outcome.run.ended_at,
        "steps": steps,
        "critical_path": ids,
    })
}

/// The chain of steps that took longest.
fn path(state: &RunState) -> CriticalPath {
    critical_path(state.plan(), |step| {
        milliseconds(state, step).unwrap_or(0).unsigned_abs()
    })
}

fn milliseconds(state: &RunState, step: u32) -> Option<i64> {
    let progress = state.step(step);
    Some(progress.ended_at? - progress.started_at?)
}

fn time(state: &RunState, step: u32) -> String {
    milliseconds(state, step).map(duration).unwrap_or_default()
}

/// Ids and messages come from files and engines: nothing in them may move the cursor.
fn clean(text: &str) -> String {
    text.replace(char::is_control, " ")
}

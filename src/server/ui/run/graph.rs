//! The steps of a run as nodes of its drawing.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::record::Record;
use crate::{
    engine::StepStatus,
    ports::StepRow,
    server::ui::{badge::Look, graph::Node, when::duration},
};

/// The id of the words on the critical path.
pub(super) const NOTE_ID: &str = "critical-note";

/// Every step with its state, elapsed time and whether it is critical.
pub(super) fn nodes(record: &Record, now: DateTime<Utc>) -> Vec<Node> {
    let critical = record.critical(now);
    let node = |step: &StepRow| Node {
        position: step.step,
        id: step.id.clone(),
        href: format!("#{}", step.id),
        look: Look::from(step.status),
        note: note(step, now),
        is_critical: critical.contains(&step.step),
    };
    record.steps.iter().map(node).collect()
}

/// What stands below a step's id: its kind, and how long it took or takes.
fn note(step: &StepRow, now: DateTime<Utc>) -> Markup {
    let word = Look::from(step.status).word;
    html! {
        (step.kind) " · "
        @match (step.started_at, step.ended_at) {
            (Some(start), Some(end)) => {
                @if step.status != StepStatus::Succeeded { (word) " · " }
                (duration(end - start))
            }
            (Some(start), None) => tspan data-since=(start.timestamp_millis()) { (duration(now - start)) },
            (None, _) => (word),
        }
    }
}

/// Says which chain decides how long the run takes, and how long it is.
pub(super) fn critical_note(record: &Record, now: DateTime<Utc>) -> Markup {
    let path = record.critical(now);
    let steps: Vec<&StepRow> = path
        .iter()
        .filter_map(|it| record.steps.get(*it as usize))
        .collect();
    let took = |step: &&StepRow| {
        let start = step.started_at?;
        Some(step.ended_at? - start)
    };
    let all: TimeDelta = steps.iter().filter_map(took).sum();
    let ids: Vec<&str> = steps.iter().map(|it| it.id.as_str()).collect();
    html! {
        span id=(NOTE_ID) class="critical-note dim" {
            @if ids.len() > 1 {
                span class="critical-key" aria-hidden="true" {}
                "critical path: " (ids.join(" → "))
                @if record.run.ended_at.is_some() { " · " (duration(all)) }
            }
        }
    }
}

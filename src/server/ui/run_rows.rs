//! Runs as rows of a table.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{
    badge::Look,
    table,
    when::{ago, elapsed},
};
use crate::ports::RunRow;

/// What is told of each run.
const COLUMNS: [(&str, &str); 6] = [
    ("", "Status"),
    ("", "Run"),
    ("wide", "Cause"),
    ("", "Steps"),
    ("number", "Took"),
    ("number", "Queued"),
];

/// A table of runs; scripts find its rows by their ids.
pub(super) fn table(runs: &[RunRow], now: DateTime<Utc>) -> Markup {
    html! {
        (table::table("Runs", &COLUMNS, &html! {
            tbody id="runs" data-rows { @for run in runs { (row(run, now)) } }
        }))
    }
}

/// The id of a run's row.
pub(super) fn row_id(run: &RunRow) -> String {
    format!("run-{}", run.id)
}

/// A run's row.
pub(super) fn row(run: &RunRow, now: DateTime<Utc>) -> Markup {
    let look = Look::from(run.status);
    html! {
        tr id=(row_id(run)) {
            td { (look.badge()) }
            td class="what" {
                a href={ "/runs/" (run.id) } { (run.name) }
                span class="id" { (run.id) }
                @if let Some(reason) = &run.reason { span class="reason" { (reason) } }
            }
            td class="wide dim" { (run.cause) }
            td { (progress(run, look)) }
            td class="number" { (elapsed(run.started_at, run.ended_at, now)) }
            td class="number dim" { (ago(run.created_at, now)) }
        }
    }
}

/// How many steps have ended, as a bar and in figures.
fn progress(run: &RunRow, look: Look) -> Markup {
    let share = match run.steps {
        0 => 0,
        all => 100 * run.steps_ended.min(all) / all,
    };
    html! {
        span class="progress" {
            svg class={ "meter " (look.class) } width="56" height="6" aria-hidden="true" {
                rect class="track" width="100%" height="6" rx="3" {}
                rect class="fill" width={ (share) "%" } height="6" rx="3" {}
            }
            span class="dim" { (run.steps_ended) "/" (run.steps) }
        }
    }
}

//! The runs that are under way, by pool and worker.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::{
    engine::RunStatus,
    ports::{RunFilter, RunRow},
    server::{
        Api,
        ui::{
            badge::Look,
            failure::Failure,
            table::table,
            when::{clock, elapsed},
        },
    },
};

/// The id of the list.
pub(super) const ID: &str = "under-way";
/// Runs under way that are listed.
const RUNS: u32 = 200;
/// Where runs stand that wait in no pool.
const ALONE: &str = "none: driven by who started them";

/// What is told of each run.
const COLUMNS: [(&str, &str); 5] = [
    ("", "Worker"),
    ("", "Run"),
    ("", "Status"),
    ("number", "For"),
    ("wide number", "Lease until"),
];

/// The runs by pool, then by worker and age.
pub(super) type ByPool = BTreeMap<String, Vec<RunRow>>;

/// Reads what is under way.
pub(super) async fn read(api: &Api) -> Result<ByPool, Failure> {
    let mut by_pool = ByPool::new();
    for status in [RunStatus::Preparing, RunStatus::Running] {
        let filter = RunFilter {
            status: Some(status),
            limit: RUNS,
            ..RunFilter::default()
        };
        for run in api.app.ports.store.runs(&filter).await? {
            let pool = run.placement.as_ref().map_or(ALONE, |it| &it.pool);
            by_pool.entry(pool.to_owned()).or_default().push(run);
        }
    }
    for runs in by_pool.values_mut() {
        runs.sort_by(|one, two| (&one.owner, one.started_at).cmp(&(&two.owner, two.started_at)));
    }
    Ok(by_pool)
}

/// The runs as an element of their own.
pub(super) fn card(by_pool: &ByPool, now: DateTime<Utc>) -> Markup {
    html! {
        div id=(ID) {
            @if by_pool.is_empty() { p class="dim" { "No run is under way." } }
            @for (pool, runs) in by_pool {
                section class="part" aria-label={ "Under way in pool " (pool) } {
                    header class="title" {
                        h2 { "Under way in pool " (pool) }
                        span class="dim" { (runs.len()) @if runs.len() == 1 { " run" } @else { " runs" } }
                    }
                    (table(&format!("Runs of pool {pool}"), &COLUMNS, &html! {
                        tbody data-rows { @for run in runs { (row(run, now)) } }
                    }))
                }
            }
        }
    }
}

fn row(run: &RunRow, now: DateTime<Utc>) -> Markup {
    html! {
        tr {
            td { code { (run.owner.as_deref().unwrap_or("–")) } }
            td class="what" {
                a href={ "/runs/" (run.id) } { (run.name) } span class="id" { (run.id) }
                @if run.generation > 1 { span class="tag" { "generation " (run.generation) } }
            }
            td { (Look::from(run.status).badge()) }
            td class="number" { (elapsed(run.started_at, None, now)) }
            td class="wide number dim" {
                @if let Some(until) = run.held_until { (clock(until)) } @else { "–" }
            }
        }
    }
}

//! `/workers`: each pool with its queue, its limits and what its workers run.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Extension, extract::State, response::Html};
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{
    badge::Look, failure::Failure, frame::page, queue, session::Viewer, table::table, when::elapsed,
};
use crate::{
    engine::RunStatus,
    ports::{LimitRow, RunFilter, RunRow},
    server::Api,
};

/// Runs of each queue that are listed.
const QUEUE: u32 = 20;
/// Runs under way that are listed.
const UNDER_WAY: u32 = 500;

/// What is told of each run.
const COLUMNS: [(&str, &str); 4] = [
    ("", "Worker"),
    ("", "Run"),
    ("", "Status"),
    ("number", "For"),
];
/// What is told of each limit.
const LIMITS: [(&str, &str); 4] = [
    ("", "Limit"),
    ("number", "Under way"),
    ("number", "Allowed"),
    ("number", "Waiting for it"),
];

/// Shows all pools.
pub(super) async fn show(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
) -> Result<Html<String>, Failure> {
    let now = api.app.ports.clock.now();
    let by_pool = under_way(&api).await?;
    let limits = api.app.queue.limits().await?;
    let body = html! {
        div class="title" { h1 { "Workers" } span class="dim" { "who runs what, and who waits" } }
        (queue::card(&api, QUEUE, Some(now)).await?)
        @if by_pool.is_empty() { div class="empty" { p { "No worker has a run just now." } } }
        @for (pool, runs) in &by_pool { (pool_card(pool, runs, now)) }
        @if !limits.is_empty() { (limits_card(&limits)) }
    };
    Ok(page(&viewer, "/workers", "Workers", body))
}

/// The runs that workers have, by pool, then by worker.
async fn under_way(api: &Api) -> Result<BTreeMap<String, Vec<RunRow>>, Failure> {
    let mut by_pool: BTreeMap<String, Vec<RunRow>> = BTreeMap::new();
    for status in [RunStatus::Preparing, RunStatus::Running] {
        let filter = RunFilter {
            status: Some(status),
            limit: UNDER_WAY,
            ..RunFilter::default()
        };
        for run in api.app.ports.store.runs(&filter).await? {
            let pool = run.placement.as_ref().map(|it| it.pool.clone());
            let pool = pool.unwrap_or_else(|| "no pool: driven by who started them".to_owned());
            by_pool.entry(pool).or_default().push(run);
        }
    }
    for runs in by_pool.values_mut() {
        runs.sort_by(|one, two| (&one.owner, one.started_at).cmp(&(&two.owner, two.started_at)));
    }
    Ok(by_pool)
}

fn pool_card(pool: &str, runs: &[RunRow], now: DateTime<Utc>) -> Markup {
    let workers: BTreeSet<_> = runs.iter().map(|it| &it.owner).collect();
    let workers = workers.len();
    html! {
        section class="part" aria-label={ "Pool " (pool) } {
            header class="title" {
                h2 { "Pool " (pool) }
                span class="dim" {
                    (workers) @if workers == 1 { " worker" } @else { " workers" } " with "
                    (runs.len()) @if runs.len() == 1 { " run" } @else { " runs" }
                }
            }
            (table(&format!("Runs of pool {pool}"), &COLUMNS, &html! {
                tbody data-rows { @for run in runs { (row(run, now)) } }
            }))
        }
    }
}

fn row(run: &RunRow, now: DateTime<Utc>) -> Markup {
    html! {
        tr {
            td { code { (run.owner.as_deref().unwrap_or("–")) } }
            td class="what" {
                a href={ "/runs/" (run.id) } { (run.name) } span class="id" { (run.id) }
                @if run.generation > 1 { span class="tag" { "taken over: generation " (run.generation) } }
            }
            td { (Look::from(run.status).badge()) }
            td class="number" { (elapsed(run.started_at, None, now)) }
        }
    }
}

fn limits_card(limits: &[LimitRow]) -> Markup {
    html! {
        section class="part" aria-label="Limits of runs" {
            header class="title" { h2 { "Limits" } span class="dim" { "how many runs may be under way at once" } }
            (table("Limits", &LIMITS, &html! {
                tbody {
                    @for it in limits {
                        tr {
                            td { code { (it.scope) } }
                            td class="number" { (it.used) }
                            td class="number" { (it.allowed) }
                            td class="number" { (it.waiting) }
                        }
                    }
                }
            }))
        }
    }
}

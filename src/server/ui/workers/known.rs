//! The workers that were heard of: what each has, how many runs it drives, and whether it takes more.

use axum::{
    Extension,
    extract::{Path, State},
    response::Redirect,
};
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::{
    app::WorkerDesk,
    ports::{Role, WorkerRow, WorkerState},
    server::{
        Api,
        ui::{
            failure::Failure,
            form::{Posted, button},
            session::Viewer,
            table::table,
            when::ago,
        },
    },
};

/// The id of the list.
pub(super) const ID: &str = "known";
/// Thousandths in a whole.
const MILLI: f64 = 1000.0;
/// Bytes in a GiB.
const GIB: f64 = (1u64 << 30) as f64;

/// What is told of each worker; the last column holds what may be done with it.
const COLUMNS: [(&str, &str); 6] = [
    ("", "Worker"),
    ("", "State"),
    ("number", "Runs"),
    ("wide", "Has"),
    ("wide number", "Heard of"),
    ("number", "Action"),
];

/// The workers as an element of their own.
pub(super) fn card(viewer: &Viewer, workers: &[WorkerRow], now: DateTime<Utc>) -> Markup {
    html! {
        section id=(ID) class="part" aria-label="Known workers" {
            @if workers.is_empty() {
                div class="empty" {
                    p { "No worker was heard of within a day." }
                    p class="dim" { code { "careen worker" } " takes runs out of the queue." }
                }
            } @else {
                (table("Workers", &COLUMNS, &html! { tbody { @for it in workers { (row(viewer, it, now)) } } }))
            }
        }
    }
}

fn row(viewer: &Viewer, it: &WorkerRow, now: DateTime<Utc>) -> Markup {
    let facts = &it.facts;
    let (class, word) = state(it);
    html! {
        tr {
            td class="what" {
                b { (facts.name) } span class="tag" { "pool " (facts.pool) }
                span class="id" { (facts.version) }
                @if let Some(problem) = &facts.problem { span class="reason failed" { (problem) } }
            }
            td class=(class) { (word) }
            td class="number" { (it.runs.len()) " of " (facts.parallel_runs) }
            td class="wide dim" { (has(it)) }
            td class="wide number dim" { (ago(it.seen_at, now)) }
            td class="number" { @if viewer.may(Role::Admin) && it.is_here() { (action(viewer, it)) } }
        }
    }
}

fn state(it: &WorkerRow) -> (&'static str, &'static str) {
    match (it.is_here(), it.state, &it.facts.problem) {
        (false, ..) => ("failed", "gone"),
        (true, WorkerState::Draining, _) => ("errored", "draining"),
        (true, WorkerState::Active, Some(_)) => ("errored", "in trouble"),
        (true, WorkerState::Active, None) => ("succeeded", "active"),
    }
}

/// What a worker has, in one line.
fn has(it: &WorkerRow) -> String {
    let has = &it.facts.capacity;
    let mut parts = vec![
        format!("{} CPUs", has.cpu_millis as f64 / MILLI),
        format!("{:.1} GiB", has.memory_bytes as f64 / GIB),
    ];
    parts.extend(has.platforms.iter().filter(|it| it.contains('/')).cloned());
    parts.extend(
        has.labels
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    parts.join(", ")
}

fn action(viewer: &Viewer, it: &WorkerRow) -> Markup {
    let mut path = url::Url::parse("http://careen/workers").expect("an address");
    let (verb, label) = match it.state {
        WorkerState::Active => ("drain", "Drain"),
        WorkerState::Draining => ("resume", "Take runs again"),
    };
    if let Ok(mut segments) = path.path_segments_mut() {
        segments.push(&it.facts.name).push(verb);
    }
    button(viewer, path.path(), label, "")
}

/// Keeps a worker from taking further runs.
pub(in crate::server::ui) async fn drain(
    api: State<Api>,
    viewer: Extension<Viewer>,
    worker: Path<String>,
    _: Posted,
) -> Result<Redirect, Failure> {
    set(api, viewer, worker, WorkerState::Draining).await
}

/// Lets a worker take runs again.
pub(in crate::server::ui) async fn resume(
    api: State<Api>,
    viewer: Extension<Viewer>,
    worker: Path<String>,
    _: Posted,
) -> Result<Redirect, Failure> {
    set(api, viewer, worker, WorkerState::Active).await
}

async fn set(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(worker): Path<String>,
    state: WorkerState,
) -> Result<Redirect, Failure> {
    viewer.caller.may(Role::Admin)?;
    WorkerDesk::set_worker(&*api.app, &worker, state).await?;
    Ok(Redirect::to("/workers"))
}

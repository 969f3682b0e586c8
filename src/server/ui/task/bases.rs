//! What a task's builds stand on: digests, whether they are still what the registry has, and what moves led to.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::{
    app::BaseDesk,
    ports::{BaseDecision, BaseRow, Watch},
    server::{
        Api,
        ui::{digest::digest, failure::Failure, table::table, when::ago},
    },
};

/// Decisions that are told.
const DECISIONS: u32 = 6;

/// What is told of each base.
const COLUMNS: [(&str, &str); 5] = [
    ("", "Base"),
    ("", "Freshness"),
    ("", "Built on"),
    ("", "Now"),
    ("number", "Looked at"),
];

/// The bases of a task; nothing when none is known.
pub(super) async fn card(api: &Api, task: &str) -> Result<Markup, Failure> {
    let bases = api.app.bases_of(Some(task)).await?;
    if bases.is_empty() {
        return Ok(Markup::default());
    }
    let watches = api.app.watches_of(Some(task)).await?;
    let told = api.app.base_decisions_of(Some(task), DECISIONS).await?;
    let now = api.app.ports.clock.now();
    let rows = html! {
        tbody {
            @for it in &bases { (row(it, watches.iter().find(|watch| watch.key == it.key), now)) }
        }
    };
    Ok(html! {
        section class="part" aria-label="What it stands on" {
            header class="title" { h2 { "Base images" } span class="dim" { "what its builds stand on" } }
            (table("Base images", &COLUMNS, &rows))
            @if !told.is_empty() { (history(&told, now)) }
        }
    })
}

fn row(base: &BaseRow, watch: Option<&Watch>, now: DateTime<Utc>) -> Markup {
    let seen = watch.and_then(|it| it.seen.as_deref());
    let (class, word) = freshness(base.stood_on.as_deref(), seen);
    html! {
        tr {
            td class="what" {
                b { (base.key) }
                span class="tag" { @if base.is_runtime { "runtime" } @else { "build" } }
                @if let Some(problem) = watch.and_then(|it| it.problem.as_ref()) { span class="reason failed" { (problem) } }
            }
            td class=(class) { (word) }
            td { @match &base.stood_on { Some(it) => (digest(it)), None => span class="dim" { "not known" } } }
            td { @match seen { Some(it) => (digest(it)), None => span class="dim" { "not seen" } } }
            td class="number dim" {
                @match watch.and_then(|it| it.looked_at) { Some(at) => (ago(at, now)), None => "never" }
            }
        }
    }
}

fn freshness(stood_on: Option<&str>, seen: Option<&str>) -> (&'static str, &'static str) {
    match (stood_on, seen) {
        (Some(old), Some(new)) if old == new => ("succeeded", "fresh"),
        (Some(_), Some(_)) => ("errored", "moved since"),
        _ => ("dim", "not known"),
    }
}

fn history(told: &[BaseDecision], now: DateTime<Utc>) -> Markup {
    html! {
        ul class="history" aria-label="What moved bases led to" {
            @for it in told {
                li {
                    (ago(it.at, now)) " " b { (it.key) } " moved "
                    @if let Some(from) = &it.from { "from " (digest(from)) " " } "to " (digest(&it.to)) " "
                    @if let Some(run) = &it.run { a class="id" href={ "/runs/" (run) } { (run) } " " }
                    span class="dim" { (it.reason) }
                }
            }
        }
    }
}

//! `/deliveries`: what code hosts sent, what was decided and why; and deciding it again.

mod one;
mod refused;

pub(super) use one::{replay, show as one};

use axum::{Extension, extract::State, response::Html};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Deserialize;

use super::{failure::Failure, frame::page, session::Viewer, table::table, when::ago};
use crate::{
    ports::{Decision, Delivery, DeliveryFilter, Role},
    server::{Api, error::Query, page::PageQuery},
};

/// What is told of each delivery.
const COLUMNS: [(&str, &str); 5] = [
    ("number", "Number"),
    ("", "What came"),
    ("wide", "From"),
    ("", "What was decided"),
    ("number", "When"),
];

/// Which deliveries to show.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    before: Option<u64>,
}

/// Shows a page of deliveries, and those that were refused.
pub(super) async fn show(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, Failure> {
    let size = PageQuery::default();
    let filter = DeliveryFilter {
        before: wanted.before,
        limit: size.one_more(),
    };
    let rows = api.app.deliveries.deliveries(&filter).await?;
    let found = size.cut(rows, |it| it.number.to_string());
    let now = api.app.ports.clock.now();
    let body = html! {
        div class="title" { h1 { "Hooks" } span class="dim" { "what code hosts delivered, and what was decided" } }
        @if found.items.is_empty() { (nothing()) } @else {
            (table("Deliveries", &COLUMNS, &html! {
                tbody data-rows { @for it in &found.items { (row(it, now)) } }
            }))
        }
        nav class="pager" aria-label="Pages" {
            @if wanted.before.is_some() { a href="/deliveries" { "Newest" } }
            @if let Some(before) = &found.next { a href={ "/deliveries?before=" (before) } { "Older" } }
        }
        @if viewer.may(Role::Editor) && wanted.before.is_none() { (refused::list(&api, now).await?) }
    };
    Ok(page(&viewer, "/deliveries", "Hooks", body))
}

fn row(it: &Delivery, now: DateTime<Utc>) -> Markup {
    html! {
        tr {
            td class="number dim" { (it.number) }
            td class="what" {
                a href={ "/deliveries/" (it.number) } { (it.event) }
                @if let Some(task) = &it.task { span class="tag" { "for " (task) } }
                @if it.replays > 0 { span class="tag" { "replayed " (it.replays) "×" } }
            }
            td class="wide dim" { (it.source) " · " (it.provider.as_str()) }
            td { (decided(it.decision.as_ref())) }
            td class="number dim" { (ago(it.at, now)) }
        }
    }
}

/// What was decided, in a sentence and with the runs that were started.
fn decided(decision: Option<&Decision>) -> Markup {
    let Some(decision) = decision else {
        return html! { span class="waiting" { "not decided yet" } };
    };
    let runs = decision.tasks.iter().filter_map(|it| it.run.as_ref());
    let runs: Vec<&String> = runs.collect();
    html! {
        span class=[runs.is_empty().then_some("dim")] { (decision.summary) }
        @for run in runs.iter().take(3) { " " a class="id" href={ "/runs/" (run) } { (run) } }
        @if runs.len() > 3 { " " span class="dim" { "and " (runs.len() - 3) " more" } }
    }
}

fn nothing() -> Markup {
    html! {
        div class="empty" {
            p { "Nothing was delivered yet." }
            p class="dim" { code { "careen hooks source" } " lets a code host deliver to " code { "/hooks" } "." }
        }
    }
}

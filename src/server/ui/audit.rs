//! `/audit`: who did what, newest first.

use axum::{Extension, extract::State, response::Html};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Deserialize;

use super::{failure::Failure, frame::page, session::Viewer, table::table, when::ago};
use crate::{
    ports::{AuditEntry, Role},
    server::{Api, error::Query, page::PageQuery},
};

/// What is told of each entry.
const COLUMNS: [(&str, &str); 5] = [
    ("number", "When"),
    ("", "Who"),
    ("", "What"),
    ("number", "Answer"),
    ("wide", "From"),
];

/// Which entries to show.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    before: Option<u64>,
}

/// Shows a page of the audit log.
pub(super) async fn show(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, Failure> {
    viewer.caller.may(Role::Admin)?;
    let size = PageQuery::default();
    let entries = api
        .app
        .access
        .audited(wanted.before.unwrap_or(0), size.one_more())
        .await?;
    let found = size.cut(entries, |it| it.number.to_string());
    let now = api.app.ports.clock.now();
    let body = html! {
        div class="title" { h1 { "Audit log" } span class="dim" { "what was changed, and who was refused" } }
        (table("Audit log", &COLUMNS, &html! { tbody { @for it in &found.items { (row(it, now)) } } }))
        nav class="pager" aria-label="Pages" {
            @if wanted.before.is_some() { a href="/audit" { "Newest" } }
            @if let Some(before) = &found.next { a href={ "/audit?before=" (before) } { "Older" } }
        }
    };
    Ok(page(&viewer, "/audit", "Audit log", body))
}

fn row(entry: &AuditEntry, now: DateTime<Utc>) -> Markup {
    html! {
        tr {
            td class="number dim" { (ago(entry.at, now)) }
            td { (entry.who) }
            td { code { (entry.action) } }
            td class={ "number" @if entry.status >= 400 { " failed" } } { (entry.status) }
            td class="wide dim" { (entry.address) }
        }
    }
}

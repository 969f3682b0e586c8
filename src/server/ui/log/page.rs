//! `/runs/{run}/log/{step}/{attempt}`: a log page by page, for who has no scripts.

use axum::{
    Extension,
    extract::{Path, State},
    response::Html,
};
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use super::{ansi::to_html, lines::read, named::Named};
use crate::{
    ports::Stream,
    server::{
        Api,
        error::Query,
        ui::{failure::Failure, frame::page, session::Viewer},
    },
};

/// Lines of a page.
const LINES: u64 = 300;

/// Which lines to show.
#[derive(Debug, Default, Deserialize)]
pub(in crate::server::ui) struct Wanted {
    /// The first, from 1.
    from: Option<u64>,
    /// The generation, from 1; the present one when none is named.
    generation: Option<u32>,
}

/// Shows a page of a log.
pub(in crate::server::ui) async fn show(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(place): Path<(String, u32, u32)>,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, Failure> {
    let log = Named::find(&api, place, wanted.generation).await?;
    let first = wanted.from.unwrap_or(1).max(1);
    let lines = read(&api, log.key.clone(), first, LINES as usize).await?;
    let title = format!("{} · {}", log.step, log.run.name);
    let body = html! {
        div class="title" {
            h1 { a href={ "/runs/" (log.run.id) } { (log.run.name) } " › " (log.step) }
            span class="dim" {
                "attempt " (log.key.attempt)
                @if is_earlier(&log) { " of generation " (log.key.generation) ", whose worker was lost" }
            }
        }
        (pager(&log, first, "Parts of the log"))
        pre class="plain-log" {
            @for line in &lines {
                span class={ "line" @if line.stream == Stream::Stderr { " error" } } id=(line.number + 1) {
                    a class="n" href={ "#" (line.number + 1) } { (line.number + 1) } " "
                    // The one place where markup comes from a log: `to_html` escapes every letter.
                    (PreEscaped(to_html(&line.text))) "\n"
                }
            }
        }
        (pager(&log, first, "Parts of the log, once more"))
    };
    Ok(page(&viewer, "/", &title, body))
}

/// Says whether the run has begun anew since.
fn is_earlier(log: &Named) -> bool {
    log.key.generation != log.run.generation
}

fn pager(log: &Named, first: u64, label: &str) -> Markup {
    let place = format!("{}/{}", log.key.step, log.key.attempt);
    let generation = log.key.generation;
    let path = format!("/runs/{}/log/{place}?generation={generation}", log.run.id);
    let last = log.lines.saturating_sub(LINES).saturating_add(1);
    html! {
        nav class="pager" aria-label=(label) {
            @if first > 1 {
                a href=(path) { "First" }
                a href={ (path) "&from=" (first.saturating_sub(LINES).max(1)) } { "Before" }
            }
            span class="dim" { "line " (first) " of " (log.lines) }
            @if first + LINES <= log.lines {
                a href={ (path) "&from=" (first + LINES) } { "After" }
                a href={ (path) "&from=" (last) } { "Last" }
            }
            a href={ "/runs/" (log.run.id) "/raw/" (place) "?generation=" (generation) } { "Download" }
        }
    }
}

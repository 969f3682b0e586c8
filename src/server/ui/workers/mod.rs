//! `/workers`: who is alive, what each has and runs, who waits, and what limits there are; live.

mod known;
mod live;
mod under_way;

pub(super) use known::{drain, resume};
pub(super) use live::follow;

use axum::{Extension, extract::State, response::Html};
use maud::{Markup, html};

use super::{failure::Failure, frame::page, queue, session::Viewer, table::table};
use crate::{ports::LimitRow, server::Api};

/// Runs of each queue that are listed.
const QUEUE: u32 = 20;

/// The id of the limits.
const LIMITS_ID: &str = "limits";

/// What is told of each limit.
const LIMITS: [(&str, &str); 4] = [
    ("", "Limit"),
    ("number", "Under way"),
    ("number", "Allowed"),
    ("number", "Waiting for it"),
];

/// Shows all of them.
pub(super) async fn show(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
) -> Result<Html<String>, Failure> {
    let now = api.app.ports.clock.now();
    let body = html! {
        div data-live="/live/workers" {
            div class="title" { h1 { "Workers" } span class="dim" { "who runs what, and who waits" } }
            (known::card(&viewer, &api.app.workers.workers().await?, now))
            (queue::card(&api, QUEUE, Some(now)).await?)
            (under_way::card(&under_way::read(&api).await?, now))
            (limits(&api.app.queue.limits().await?))
        }
    };
    Ok(page(&viewer, "/workers", "Workers", body))
}

/// The limits as an element of their own; hidden when none is set.
fn limits(all: &[LimitRow]) -> Markup {
    html! {
        section id=(LIMITS_ID) class="part" aria-label="Limits of runs" hidden[all.is_empty()] {
            header class="title" { h2 { "Limits" } span class="dim" { "how many runs may be under way at once" } }
            @if !all.is_empty() {
                (table("Limits", &LIMITS, &html! { tbody { @for it in all { (limit(it)) } } }))
            }
        }
    }
}

fn limit(it: &LimitRow) -> Markup {
    html! {
        tr {
            td { code { (it.scope) } }
            td class="number" { (it.used) }
            td class="number" { (it.allowed) }
            td class="number" { (it.waiting) }
        }
    }
}

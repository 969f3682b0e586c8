//! The queues: who goes next in each pool, since when, and what is in the way.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{failure::Failure, live::Piece, when::elapsed};
use crate::{
    ports::{Place, QueueDepth, RunRow},
    server::Api,
};

/// The id of the queues.
pub(super) const ID: &str = "queue";

/// A run with where it stands.
type Waiting = (RunRow, Option<Place>);

/// The first so many runs of each pool's queue, as an element of its own; hidden when nobody waits.
/// Without a present moment, times stand as at their beginning: a clock makes no news.
pub(super) async fn card(
    api: &Api,
    most: u32,
    now: Option<DateTime<Utc>>,
) -> Result<Markup, Failure> {
    let mut queues = Vec::new();
    for depth in api.app.queue.depths().await? {
        let line = line(api, &depth.pool, most).await?;
        queues.push((depth, line));
    }
    Ok(html! {
        section id=(ID) class="card queue" aria-label="Queue" hidden[queues.is_empty()] {
            @for (depth, line) in &queues { (shown((depth, line.as_slice()), most, now)) }
        }
    })
}

/// The queues as a piece of a live page.
pub(super) async fn piece(api: &Api, most: u32) -> Option<Piece> {
    Some(Piece::new(ID, card(api, most, None).await.ok()?))
}

async fn line(api: &Api, pool: &str, most: u32) -> Result<Vec<Waiting>, Failure> {
    let mut line = Vec::new();
    for run in api.app.queue.line(pool, most).await? {
        let place = api.app.place(&run).await?;
        line.push((run, place));
    }
    Ok(line)
}

fn shown(
    (depth, line): (&QueueDepth, &[Waiting]),
    most: u32,
    now: Option<DateTime<Utc>>,
) -> Markup {
    let rest = depth.waiting.saturating_sub(line.len() as u64);
    // A line that ends early is whole; who waits beside it waits for a person.
    let is_whole = line.len() < most as usize;
    html! {
        header {
            h2 { "Queue of " (depth.pool) }
            span class="dim" {
                (depth.waiting) @if depth.waiting == 1 { " waits" } @else { " wait" }
                @if let Some(oldest) = depth.oldest {
                    ", the longest for " (elapsed(Some(oldest), None, now.unwrap_or(oldest)))
                }
            }
        }
        ol class="line" {
            @for (run, place) in line {
                li {
                    a href={ "/runs/" (run.id) } { (run.name) }
                    span class="id dim" { (run.id) }
                    span class="why" { (why(place.as_ref())) }
                }
            }
        }
        @if rest > 0 {
            p class="more-of-line dim" {
                @if is_whole { a href="/?status=queued" { (rest) " for someone's approval" } } @else { "and " (rest) " more" }
            }
        }
    }
}

/// What a run waits for.
fn why(place: Option<&Place>) -> String {
    match place {
        Some(place) if !place.waits_for.is_empty() => place.waits_for.join("; "),
        _ => "a free worker".to_owned(),
    }
}

//! The strip of durations above a list of runs: a bar each, oldest first, its colour how it ended.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{badge::Look, when::duration};
use crate::ports::RunRow;

/// The height of the strip.
const HEIGHT: f64 = 44.0;
/// The height of one in a table.
const SMALL_HEIGHT: f64 = 22.0;
/// The height of the lowest bar; none vanishes.
const LOWEST: f64 = 3.0;
/// The width of a bar with the gap behind it.
const STEP: usize = 9;
/// The width of a bar.
const BAR: usize = 7;

/// Draws the last runs of a task in a table.
pub(super) fn small(runs: &[RunRow], now: DateTime<Utc>) -> Markup {
    bars(runs, now, SMALL_HEIGHT)
}

/// Draws the runs of a list, which is newest first.
pub(super) fn durations(runs: &[RunRow], now: DateTime<Utc>) -> Markup {
    bars(runs, now, HEIGHT)
}

/// Heights grow with the root, so that one slow run leaves the
/// others visible.
fn bars(runs: &[RunRow], now: DateTime<Utc>, all: f64) -> Markup {
    let took = |run: &RunRow| {
        let start = run.started_at?;
        Some(run.ended_at.unwrap_or(now) - start)
    };
    let root =
        |run: &RunRow| took(run).map_or(0.0, |it| (it.num_milliseconds().max(0) as f64).sqrt());
    let most = runs.iter().map(root).fold(1.0, f64::max);
    let width = runs.len() * STEP;
    html! {
        svg class="strip" width=(width) height=(all) viewBox={ "0 0 " (width) " " (all) }
            role="img" aria-label="Durations of these runs, oldest first" {
            @for (place, run) in runs.iter().rev().enumerate() {
                @let height = (root(run) / most * all).max(LOWEST);
                @let look = Look::from(run.status);
                rect class=(look.class) x=(place * STEP) y=(format!("{:.1}", all - height))
                    width=(BAR) height=(format!("{height:.1}")) rx="1.5" {
                    title { (run.name) " · " (look.word) @if let Some(took) = took(run) { " · " (duration(took)) } }
                }
            }
        }
    }
}

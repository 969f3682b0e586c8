//! How many images stand how, in all and level by level.

use maud::{Markup, html};

use super::Wanted;
use crate::fleet::{Fleet, Kind, State};

/// The ids of the counts and of the levels.
pub(super) const ID: &str = "counts";
pub(super) const LEVELS_ID: &str = "levels";

/// The words for how images stand, and the classes that colour them.
pub(super) const GROUPS: [(&str, &str); 7] = [
    ("failed", "failed"),
    ("stuck", "stuck"),
    ("building", "running"),
    ("stale", "stale"),
    ("fresh", "succeeded"),
    ("watched", "watched"),
    ("unseen", "errored"),
];

/// How a node stands, in the word by which lists are filtered.
pub(super) fn group(state: &State) -> &'static str {
    match state {
        State::Fresh => "fresh",
        State::Ready(_)
        | State::Held {
            is_stuck: false, ..
        } => "stale",
        State::Building { .. } => "building",
        State::Failed { .. } => "failed",
        State::Held { is_stuck: true, .. } => "stuck",
        State::Watched => "watched",
        State::Unseen => "unseen",
    }
}

/// How many images of the fleet stand how; each count leads to those.
pub(super) fn counts(fleet: &Fleet, wanted: &Wanted) -> Markup {
    let all = count(fleet, |_| true);
    html! {
        p id=(ID) class="counts" {
            @for ((word, class), many) in GROUPS.iter().zip(all) {
                @if many > 0 {
                    @let there = Wanted { state: (*word).to_owned(), from: 0, ..wanted.clone() };
                    a class=(class) href=(there.path()) aria-current=[(wanted.state == *word).then_some("true")] {
                        b { (many) } " " (word)
                    }
                }
            }
        }
    }
}

/// The levels of the fleet: how many stand on nothing of ours, on those, and so on, and how far each level is.
pub(super) fn levels(fleet: &Fleet, wanted: &Wanted) -> Markup {
    let graph = fleet.graph();
    let last = graph.order().iter().map(|id| graph.level(*id)).max();
    html! {
        section id=(LEVELS_ID) class="card" aria-label="Levels" {
            header { h2 { "Levels" } span class="dim" { "bases first" } }
            ol class="levels" start="0" {
                @for level in 0..=last.unwrap_or(0) {
                    @let all = count(fleet, |it| it == level);
                    @let there = Wanted { level: Some(level), state: String::new(), from: 0, ..wanted.clone() };
                    li {
                        a href=(there.path()) aria-current=[(wanted.level == Some(level)).then_some("true")] {
                            (all.iter().sum::<usize>()) " images"
                        }
                        (bar(&all))
                        span class="dim" { (said(&all)) }
                    }
                }
            }
        }
    }
}

fn bar(all: &[usize; 7]) -> Markup {
    let sum = all.iter().sum::<usize>().max(1) as f64;
    let share = |many: usize| many as f64 / sum * 100.0;
    let groups = GROUPS.iter().zip(all).filter(|(_, many)| **many > 0);
    let parts = groups.scan(0.0, |x, ((_, class), many)| {
        let start = *x;
        *x += share(*many);
        Some((*class, start, share(*many)))
    });
    html! {
        svg class="shares" width="100%" height="8" aria-hidden="true" {
            @for (class, x, width) in parts {
                rect class=(class) x=(format!("{x:.2}%")) width=(format!("{width:.2}%")) height="8" {}
            }
        }
    }
}

fn said(all: &[usize; 7]) -> String {
    let parts = GROUPS.iter().zip(all).filter(|(_, many)| **many > 0);
    let parts: Vec<String> = parts
        .map(|((word, _), many)| format!("{many} {word}"))
        .collect();
    parts.join(", ")
}

/// Counts the nodes of some levels by how they stand, in the order of the groups.
fn count(fleet: &Fleet, is_meant: impl Fn(u32) -> bool) -> [usize; 7] {
    let graph = fleet.graph();
    let mut all = [0; 7];
    for &id in graph
        .order()
        .iter()
        .filter(|id| is_meant(graph.level(**id)))
    {
        let word = group(&fleet.standing(id).state);
        if let Some(place) = GROUPS.iter().position(|it| it.0 == word) {
            all[place] += 1;
        }
    }
    all
}

/// How many tasks there are, and how many of them are what they should be.
pub(super) fn done(fleet: &Fleet) -> (usize, usize) {
    let graph = fleet.graph();
    let tasks = graph.order().iter();
    let tasks = tasks.filter(|id| graph.node(**id).kind == Kind::Task);
    let fresh = tasks
        .clone()
        .filter(|id| group(&fleet.standing(**id).state) == "fresh");
    (fresh.count(), tasks.count())
}

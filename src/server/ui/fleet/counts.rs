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

/// Levels that are shown one by one.
const MOST_LEVELS: usize = 24;

/// How many images stand how, in the order of the groups.
type Shares = [usize; GROUPS.len()];

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
    let all = sum(&by_level(fleet));
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
    let all = by_level(fleet);
    let (shown, further) = all.split_at(all.len().min(MOST_LEVELS));
    html! {
        section id=(LEVELS_ID) class="card" aria-label="Levels" {
            header { h2 { "Levels" } span class="dim" { "bases first" } }
            ol class="levels" start="0" {
                @for (level, all) in (0..).zip(shown) {
                    @let there = Wanted { level: Some(level), state: String::new(), from: 0, ..wanted.clone() };
                    li {
                        a href=(there.path()) aria-current=[(wanted.level == Some(level)).then_some("true")] {
                            (all.iter().sum::<usize>()) " images"
                        }
                        (bar(all))
                        span class="dim" { (said(all)) }
                    }
                }
                @if !further.is_empty() {
                    @let all = sum(further);
                    li {
                        span { (all.iter().sum::<usize>()) " images" }
                        (bar(&all))
                        span class="dim" { "on " (further.len()) " further levels: " (said(&all)) }
                    }
                }
            }
        }
    }
}

fn bar(all: &Shares) -> Markup {
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

fn said(all: &Shares) -> String {
    let parts = GROUPS.iter().zip(all).filter(|(_, many)| **many > 0);
    let parts: Vec<String> = parts
        .map(|((word, _), many)| format!("{many} {word}"))
        .collect();
    parts.join(", ")
}

/// Counts the nodes of each level by how they stand.
fn by_level(fleet: &Fleet) -> Vec<Shares> {
    let graph = fleet.graph();
    let mut all = Vec::new();
    for &id in graph.order() {
        let level = graph.level(id) as usize;
        if all.len() <= level {
            all.resize(level + 1, Shares::default());
        }
        let word = group(&fleet.standing(id).state);
        if let Some(place) = GROUPS.iter().position(|it| it.0 == word) {
            all[level][place] += 1;
        }
    }
    all
}

fn sum(levels: &[Shares]) -> Shares {
    let mut all = Shares::default();
    for level in levels {
        all.iter_mut().zip(level).for_each(|(all, it)| *all += it);
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

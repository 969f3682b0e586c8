//! The images of the fleet as a list: since when each is stale, and why.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{Wanted, counts::group, link};
use crate::{
    fleet::{Fleet, Id, Kind},
    server::ui::{badge::Look, table::table, when::ago},
};

/// The id of the list.
pub(super) const ID: &str = "images";
/// Images of a page.
const PAGE: usize = 30;

/// What is told of each image.
const COLUMNS: [(&str, &str); 5] = [
    ("", "State"),
    ("", "Image"),
    ("", "Why"),
    ("wide number", "Level"),
    ("number", "Since"),
];

/// The list as an element of its own: what is not fresh, unless something else is asked for.
pub(super) fn card(fleet: &Fleet, wanted: &Wanted, now: DateTime<Utc>) -> Markup {
    let all = chosen(fleet, wanted);
    let shown = all.iter().skip(wanted.from).take(PAGE);
    html! {
        section id=(ID) class="part" aria-label="Standing of images" {
            header class="title" {
                h2 { (title(wanted)) }
                span class="dim" { (all.len()) @if all.len() == 1 { " image" } @else { " images" } }
            }
            @if all.is_empty() { div class="empty" { p { (none(wanted)) } } } @else {
                (table("Images", &COLUMNS, &html! {
                    tbody data-rows { @for &id in shown { (row(fleet, id, now)) } }
                }))
            }
            (pager(wanted, all.len()))
        }
    }
}

fn chosen(fleet: &Fleet, wanted: &Wanted) -> Vec<Id> {
    let graph = fleet.graph();
    let is_meant = |id: &Id| {
        let state = group(&fleet.standing(*id).state);
        let is_asked_for = match (wanted.state.as_str(), wanted.level) {
            ("", None) => graph.node(*id).kind == Kind::Task && state != "fresh",
            ("", Some(_)) => true,
            (asked, _) => state == asked,
        };
        is_asked_for && wanted.level.is_none_or(|level| graph.level(*id) == level)
    };
    graph.order().iter().copied().filter(is_meant).collect()
}

fn title(wanted: &Wanted) -> String {
    let state = match wanted.state.as_str() {
        "" if wanted.level.is_some() => "All",
        "" => "Not fresh",
        state => state,
    };
    match wanted.level {
        Some(level) => format!("{state}, level {level}"),
        None => state.to_owned(),
    }
}

fn none(wanted: &Wanted) -> &'static str {
    match (wanted.state.is_empty(), wanted.level) {
        (true, None) => "Every image of the fleet is what it should be.",
        _ => "No image stands so.",
    }
}

fn row(fleet: &Fleet, id: Id, now: DateTime<Utc>) -> Markup {
    let standing = fleet.standing(id);
    let since = standing.stale.as_ref().and_then(|it| it.since);
    html! {
        tr {
            td { (Look::from(&standing.state).badge()) }
            td class="what" { (link(fleet, id)) }
            td class="dim" { (fleet.still(id).unwrap_or_default()) }
            td class="wide number" { (fleet.graph().level(id)) }
            td class="number dim" { @if let Some(since) = since { (ago(since, now)) } }
        }
    }
}

fn pager(wanted: &Wanted, all: usize) -> Markup {
    let at = |from: usize| {
        Wanted {
            from,
            ..wanted.clone()
        }
        .path()
    };
    html! {
        nav class="pager" aria-label="Pages" {
            @if wanted.from > 0 { a href=(at(wanted.from.saturating_sub(PAGE))) { "Before" } }
            @if wanted.from + PAGE < all { a href=(at(wanted.from + PAGE)) rel="next" { "More" } }
        }
    }
}

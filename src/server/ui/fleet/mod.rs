//! `/fleet`: what stands on what, what is stale and why, and how it is brought up to date.

mod around;
mod counts;
mod list;
mod live;
mod read;
mod report;
mod rollouts;
mod why;

pub(super) use live::follow;
pub(super) use report::markdown;
pub(super) use rollouts::{begin, change};

use axum::{Extension, extract::State, response::Html};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::{failure::Failure, frame::page, session::Viewer};
use crate::{
    fleet::{Fleet, Id},
    ports::Role,
    server::{Api, error::Query},
};
use read::Seen;

/// What of the fleet to show.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// The image or task in the middle of the drawing.
    around: String,
    /// Only images that stand so.
    state: String,
    /// Only images of this level.
    level: Option<u32>,
    /// The first of the list, from 0.
    from: usize,
    /// How many nodes are drawn.
    most: Option<usize>,
    /// The node in the middle of a page that asked for none; its news are about that one, whatever happens.
    middle: String,
}

impl Wanted {
    /// The same as a query.
    fn query(&self) -> String {
        let mut query = Serializer::new(String::new());
        let texts = [("around", &self.around), ("state", &self.state)];
        for (name, value) in texts.iter().filter(|(_, it)| !it.is_empty()) {
            query.append_pair(name, value);
        }
        let numbers = [
            ("level", self.level.map(|it| it as usize)),
            ("from", Some(self.from).filter(|it| *it > 0)),
            ("most", self.most),
        ];
        for (name, value) in numbers {
            if let Some(value) = value {
                query.append_pair(name, &value.to_string());
            }
        }
        query.finish()
    }

    /// The path of the page.
    fn path(&self) -> String {
        format!("/fleet?{}", self.query())
    }
}

/// The path of the page around a node of this name.
pub(super) fn path_around(name: &str) -> String {
    let wanted = Wanted {
        around: name.to_owned(),
        ..Wanted::default()
    };
    wanted.path()
}

/// Shows the fleet.
pub(super) async fn show(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, Failure> {
    let seen = read::read(&api).await?;
    let now = api.app.ports.clock.now();
    let middle = around::middle(&seen.fleet, &wanted);
    let live = live::path(&seen.fleet, &wanted, middle);
    let body = html! {
        div data-live=(live) {
            div class="title" {
                h1 { "Fleet" }
                (counts::counts(&seen.fleet, &wanted))
                div class="actions" { a class="button" href="/fleet/report.md" { "Report" } }
            }
            @if seen.fleet.graph().is_empty() { (nothing()) } @else { (whole(&viewer, &seen, (&wanted, middle), now)) }
        }
    };
    Ok(page(&viewer, "/fleet", "Fleet", body))
}

fn whole(
    viewer: &Viewer,
    seen: &Seen,
    (wanted, middle): (&Wanted, Option<Id>),
    now: DateTime<Utc>,
) -> Markup {
    let fleet = &seen.fleet;
    html! {
        (search(fleet, wanted))
        (rollouts::card(viewer, &seen.rollouts, now))
        div class="fleet-top" {
            (around::Lineage::new(fleet, wanted, middle).card(fleet, wanted))
            div {
                @if let Some(id) = middle { (why::card(fleet, id, now)) }
                (counts::levels(fleet, wanted))
                (report::card(fleet, now))
                @if viewer.may(Role::Editor) { (rollouts::form(viewer, &wanted.around)) }
            }
        }
        (list::card(fleet, wanted, now))
    }
}

/// The search for a node; what is searched for stands in the middle of the drawing.
fn search(fleet: &Fleet, wanted: &Wanted) -> Markup {
    let found = wanted.around.is_empty() || fleet.graph().find(&wanted.around).is_some();
    html! {
        form class="filters" method="get" action="/fleet" role="search" {
            label class="visually-hidden" for="around" { "Task or image" }
            input id="around" type="search" name="around" value=(wanted.around) data-key="/"
                placeholder="Task or image" autocomplete="off";
            button { "Show" }
            @if !wanted.query().is_empty() { a class="quiet" href="/fleet" { "Clear" } }
            @if !found { span class="failed" role="status" { "Nothing in the fleet is called so." } }
        }
    }
}

fn nothing() -> Markup {
    html! {
        div class="empty" {
            p { "No task that is stored builds an image." }
            p class="dim" { "A stored task whose builds are pushed is part of the fleet." }
        }
    }
}

/// What a node is called where there is little room: without a registry's host.
fn short_name(name: &str) -> &str {
    let name = name.strip_prefix("docker.io/library/").unwrap_or(name);
    let host_end = name.find('/').filter(|it| name[..*it].contains(['.', ':']));
    host_end.map_or(name, |it| &name[it + 1..])
}

/// A link to a node.
fn link(fleet: &Fleet, id: Id) -> Markup {
    let name = &fleet.graph().node(id).name;
    html! { a href=(path_around(name)) title=(name) { (short_name(name)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_host_and_nothing_else() {
        for (name, said) in [
            ("docker.io/library/alpine:3", "alpine:3"),
            ("registry.example:5000/team/base:1", "team/base:1"),
            ("team/base:1", "team/base:1"),
            ("web", "web"),
        ] {
            assert_eq!(short_name(name), said);
        }
    }
}

//! Why a node stands as it does: what is in its way, down to the root, each a link.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{link, path_around, short_name};
use crate::{
    fleet::{Fleet, Id, Kind, Origin, State},
    server::ui::{badge::Look, digest::digest, tasks::path, when::ago},
};

/// The id of the chain.
pub(super) const ID: &str = "why";
/// Links of a chain that are shown.
const LINKS: usize = 30;
/// Bases that are shown.
const BASES: usize = 20;

/// The chain as an element of its own.
pub(super) fn card(fleet: &Fleet, id: Id, now: DateTime<Utc>) -> Markup {
    let node = fleet.graph().node(id);
    html! {
        section id=(ID) class="card" aria-label="Why" {
            header {
                h2 { (short_name(&node.name)) }
                @if node.kind == Kind::Task { a class="tag" href=(path(&node.name)) { "task" } }
                @else { span class="tag" { "not ours" } }
            }
            div class="body" {
                ol class="chain" { @for it in chain(fleet, id) { (one(fleet, it, now)) } }
                (last_build(fleet, id))
                (holds(fleet, id, now))
            }
        }
    }
}

/// The node, then what is in its way, down to the root.
fn chain(fleet: &Fleet, id: Id) -> Vec<Id> {
    let next = |it: &Id| match &fleet.standing(*it).state {
        State::Held { by, .. } => Some(*by),
        _ => None,
    };
    std::iter::successors(Some(id), next).take(LINKS).collect()
}

fn one(fleet: &Fleet, id: Id, now: DateTime<Utc>) -> Markup {
    let standing = fleet.standing(id);
    let stale = standing.stale.as_ref();
    html! {
        li {
            (Look::from(&standing.state).badge()) " " (link(fleet, id))
            @if let Some(since) = stale.and_then(|it| it.since) { " " span class="dim" { "since " (ago(since, now)) } }
            @if let Some(stale) = stale { p { (stale.because.to_string()) } }
            @match &standing.state {
                State::Building { run } => p { "run " a class="id" href={ "/runs/" (run) } { (run) } " builds it" },
                State::Failed { run, reason } => {
                    p { "run " a class="id" href={ "/runs/" (run) } { (run) } " did not: " (reason) }
                },
                State::Unseen => p { "nobody has seen what this tag holds" },
                _ => {},
            }
            @if let Some(origin) = stale.and_then(|it| it.origin.as_ref()) { (set_off(origin, now)) }
        }
    }
}

fn set_off(origin: &Origin, now: DateTime<Utc>) -> Markup {
    html! {
        p class="dim" {
            "set off by " a href=(path_around(&origin.image)) { (short_name(&origin.image)) }
            ", which holds " (digest(&origin.digest)) " since " (ago(origin.seen, now))
        }
    }
}

/// What the last build stood on, and the run that made it.
fn last_build(fleet: &Fleet, id: Id) -> Markup {
    let name = &fleet.graph().node(id).name;
    let last = fleet.facts().task(name).and_then(|it| it.last_built());
    html! {
        @if let Some(last) = last {
            dl class="images" {
                div { dt { "Built by" } dd { a class="id" href={ "/runs/" (last.run) } { (last.run) } } }
                @for (image, content) in last.inputs.bases.iter().take(BASES) {
                    div { dt { "Stands on" } dd {
                        a href=(path_around(image)) { (short_name(image)) } " " (digest(content)) } }
                }
            }
        }
    }
}

/// What the node's tags hold now.
fn holds(fleet: &Fleet, id: Id, now: DateTime<Utc>) -> Markup {
    html! {
        dl class="images" {
            @for image in fleet.graph().node(id).images.iter().take(BASES) {
                @if let Some(tag) = fleet.facts().tag(image) {
                    div {
                        dt { "Holds" }
                        dd { code { (short_name(image)) } " " (digest(&tag.digest)) " "
                            span class="dim" { "since " (ago(tag.since, now)) } }
                    }
                }
            }
        }
    }
}

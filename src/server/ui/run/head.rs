//! The head of a run's page: how it stands, why it was started, how long it takes.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{actions::waits_for_approval, record::Record};
use crate::server::ui::{
    badge::Look,
    when::{ago, elapsed, exact},
};

/// The id of the head.
pub(super) const ID: &str = "head";

/// The head as an element of its own.
pub(super) fn head(record: &Record, now: DateTime<Utc>) -> Markup {
    let run = &record.run;
    let look = Look::from(run.status);
    html! {
        div id=(ID) class="run-head" {
            div class="title" {
                span class={ "seal " (look.class) } { (look.icon()) (look.word) }
                h1 { (run.name) }
                span class="id dim" { (run.id) }
            }
            dl class="facts" {
                div { dt { "Cause" } dd {
                    @if let Some(trigger) = &run.trigger {
                        span class="tag" { (trigger.kind.as_str().replace('_', " ")) } " "
                    }
                    (run.cause)
                    @if let Some(of) = &run.rerun_of { ", of " a href={ "/runs/" (of) } class="id" { (of) } } } }
                div { dt { "Queued" } dd { (ago(run.created_at, now)) } }
                @if let Some(place) = &record.place {
                    div {
                        dt { "In the queue" }
                        dd { @if waits_for_approval(run) { (place.waits_for.join("; ")) } @else { (place.to_string()) } }
                    }
                }
                @if let Some(started) = run.started_at {
                    div { dt { "Waited" } dd { (elapsed(Some(run.created_at), Some(started), now)) } }
                }
                div { dt { "Took" } dd { (elapsed(run.started_at, run.ended_at, now)) } }
                div { dt { "Steps" } dd { (run.steps_ended) " of " (run.steps.max(record.steps.len() as u32)) } }
                @if let Some(owner) = &run.owner { div { dt { "Worker" } dd { (owner) } } }
                @if run.generation > 1 { div { dt { "Generation" } dd { (run.generation) } } }
                @if let Some(ended) = run.ended_at { div { dt { "Ended" } dd { (exact(ended)) } } }
            }
            @if let Some(reason) = &run.reason { p class="wrong" { (reason) } }
            @if let (Some(reason), None) = (&run.cancel_reason, run.ended_at) {
                p class="wrong" { "Is being canceled: " (reason) }
            }
        }
    }
}

//! `/deliveries/{delivery}`: one delivery with its decision for each task, and its replay.

use axum::{
    Extension,
    extract::{Path, State},
    response::{Html, Redirect},
};
use maud::{Markup, html};
use serde_json::Value;

use crate::{
    ports::{Decision, Delivery, Role, TaskDecision},
    server::{
        Api,
        ui::{
            failure::Failure,
            form::{Posted, button},
            frame::page,
            session::Viewer,
            table::table,
            tasks::path,
            when::{ago, exact},
        },
    },
};

/// Letters of a body that are shown.
const LETTERS: usize = 30_000;

/// What is told of each task.
const COLUMNS: [(&str, &str); 4] = [("", "Task"), ("", "Trigger"), ("", "Run"), ("", "Why")];

/// Shows a delivery.
pub(in crate::server::ui) async fn show(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(number): Path<u64>,
) -> Result<Html<String>, Failure> {
    let delivery = api.app.delivery(number).await?;
    let now = api.app.ports.clock.now();
    let replay = format!("/deliveries/{number}/replay");
    let body = html! {
        div class="title" {
            h1 { a href="/deliveries" { "Hooks" } " › " (delivery.event) }
            span class="dim" { "number " (number) }
            @if viewer.may(Role::Runner) {
                div class="actions" { (button(&viewer, &replay, "Decide again", "main")) }
            }
        }
        dl class="facts" {
            div { dt { "Source" } dd { (delivery.source) } }
            div { dt { "Code host" } dd { (delivery.provider.as_str()) } }
            div { dt { "Came" } dd { (ago(delivery.at, now)) } }
            @if let Some(task) = &delivery.task { div { dt { "Only for" } dd { a href=(path(task)) { (task) } } } }
            @if delivery.replays > 0 { div { dt { "Decided again" } dd { (delivery.replays) "×" } } }
            div { dt { "Id" } dd { code { (delivery.id) } } }
        }
        (decision(delivery.decision.as_ref()))
        (sent(&delivery))
    };
    let title = format!("Delivery {number}");
    Ok(page(&viewer, "/deliveries", &title, body))
}

/// Decides a delivery by the tasks as they are now and leads back to it.
pub(in crate::server::ui) async fn replay(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(number): Path<u64>,
    _: Posted,
) -> Result<Redirect, Failure> {
    viewer.caller.may_replay()?;
    api.app.replay_delivery(number).await?;
    Ok(Redirect::to(&format!("/deliveries/{number}")))
}

fn decision(decision: Option<&Decision>) -> Markup {
    html! {
        section class="card above" aria-label="Decision" {
            header {
                h2 { "Decision" }
                @match decision {
                    Some(it) => span class="dim" { (it.summary) ", on " (exact(it.at)) },
                    None => span class="dim" { "it has not been decided yet" },
                }
            }
            @if let Some(tasks) = decision.map(|it| &it.tasks).filter(|it| !it.is_empty()) {
                (table("Decision for each task", &COLUMNS, &html! { tbody { @for it in tasks { (row(it)) } } }))
            }
        }
    }
}

fn row(it: &TaskDecision) -> Markup {
    html! {
        tr {
            td class="what" { a href=(path(&it.task)) { (it.task) } }
            td { (it.trigger) }
            td { @match &it.run {
                Some(run) => a class="id" href={ "/runs/" (run) } { (run) },
                None => span class="dim" { "none" },
            } }
            td { (it.reason) }
        }
    }
}

/// What came, as it came: headers and body.
fn sent(delivery: &Delivery) -> Markup {
    let text = String::from_utf8_lossy(&delivery.body);
    // Code hosts send JSON in one line; what is none is shown as it is.
    let text =
        serde_json::from_str::<Value>(&text).map_or(text.into_owned(), |it| format!("{it:#}"));
    let shown: String = text.chars().take(LETTERS).collect();
    html! {
        section class="card" aria-label="What came" {
            header { h2 { "What came" } span class="dim" { (delivery.body.len()) " bytes" } }
            div class="body" {
                dl class="images" {
                    @for (name, value) in &delivery.headers { div { dt { (name) } dd { code { (value) } } } }
                }
                pre class="file tall" tabindex="0" { (shown) @if shown.len() < text.len() { "\n…" } }
            }
        }
    }
}

//! What started a run, and why: the commit, the timer or the image behind it, and the run that it repeats.

use maud::{Markup, html};
use serde_json::Value;

use super::{actions::waits_for_approval, record::Record};
use crate::{
    ports::{DeliveryFilter, Trigger, TriggerKind},
    server::{
        Api,
        ui::{digest::digest, failure::Failure, fleet::path_around, tasks::path},
    },
};

/// Deliveries that are looked through for the one that started a run.
const DELIVERIES: u32 = 200;

/// The card; nothing for what a person started from nothing.
pub(super) async fn card(api: &Api, record: &Record) -> Result<Markup, Failure> {
    let run = &record.run;
    if run.trigger.is_none() && run.rerun_of.is_none() {
        return Ok(Markup::default());
    }
    let delivery = delivery_of(api, record).await?;
    let task = run.placement.as_ref().and_then(|it| it.task.as_deref());
    Ok(html! {
        section class="card" aria-label="Why it runs" {
            header { h2 { "Why it runs" } span class="dim" { (run.cause) } }
            dl class="images body" {
                @if let Some(trigger) = &run.trigger { (behind(trigger)) (approval(record, trigger)) }
                @if let Some(of) = &run.rerun_of {
                    div { dt { "Repeats" } dd { a class="id" href={ "/runs/" (of) } { (of) } } }
                }
                @if let Some(number) = delivery {
                    div { dt { "Told by" } dd { a href={ "/deliveries/" (number) } { "delivery " (number) } } }
                }
                @if let Some(task) = task { div { dt { "Task" } dd { a href=(path(task)) { (task) } } } }
            }
        }
    })
}

/// What happened, by kind.
fn behind(trigger: &Trigger) -> Markup {
    let details = &trigger.details;
    let words: &[(&str, &str)] = match trigger.kind {
        TriggerKind::Source => &[
            ("repository", "Repository"),
            ("reference", "Reference"),
            ("commit", "Commit"),
            ("pull_request", "Pull request"),
            ("author", "Author"),
        ],
        TriggerKind::Timer => &[("timer", "Timer"), ("occurrence", "Its time")],
        TriggerKind::BaseImage | TriggerKind::Fleet => &[],
    };
    html! {
        @for (key, label) in words {
            @if let Some(text) = said(&details[*key]) { div { dt { (label) } dd { code { (text) } } } }
        }
        @match trigger.kind {
            TriggerKind::BaseImage => { @for it in details["images"].as_array().into_iter().flatten() { (moved(it)) } },
            TriggerKind::Fleet => (wave(details)),
            TriggerKind::Source | TriggerKind::Timer => {},
        }
    }
}

/// An image that moved.
fn moved(image: &Value) -> Markup {
    let text = |key: &str| image[key].as_str().filter(|it| !it.is_empty());
    html! {
        div {
            dt { "Moved" }
            dd {
                (fleet_link(text("image").unwrap_or_default()))
                @if let Some(from) = text("from") { " from " (digest(from)) }
                @if let Some(to) = text("to") { " to " (digest(to)) }
            }
        }
    }
}

/// What a wave through the fleet decided to build on.
fn wave(details: &Value) -> Markup {
    let bases = details["inputs"]["bases"].as_object();
    html! {
        @if let Some(image) = details["origin"]["image"].as_str() {
            div { dt { "Set off by" } dd { (fleet_link(image)) } }
        }
        @for (image, content) in bases.into_iter().flatten() {
            div { dt { "Built on" } dd { (fleet_link(image)) " " (digest(content.as_str().unwrap_or_default())) } }
        }
    }
}

fn fleet_link(image: &str) -> Markup {
    html! { a href=(path_around(image)) { (image) } }
}

fn approval(record: &Record, trigger: &Trigger) -> Markup {
    html! {
        @if waits_for_approval(&record.run) {
            div { dt { "Approval" } dd class="errored" {
                "It waits for someone to approve it: whoever made it is not trusted. It gets no secret and no connection." } }
        }
        @if let Some(by) = &trigger.approved_by { div { dt { "Approved by" } dd { (by) } } }
    }
}

/// The number of the delivery that started the run, if it is among the last ones.
async fn delivery_of(api: &Api, record: &Record) -> Result<Option<u64>, Failure> {
    let run = &record.run;
    let is_source = |it: &&Trigger| it.kind == TriggerKind::Source;
    if run.trigger.as_ref().filter(is_source).is_none() {
        return Ok(None);
    }
    let filter = DeliveryFilter {
        before: None,
        limit: DELIVERIES,
    };
    let all = api.app.deliveries.deliveries(&filter).await?;
    let started = |it: &crate::ports::Delivery| {
        let tasks = it.decision.iter().flat_map(|decision| &decision.tasks);
        tasks
            .filter_map(|task| task.run.as_ref())
            .any(|it| *it == run.id)
    };
    Ok(all.into_iter().find(started).map(|it| it.number))
}

fn said(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

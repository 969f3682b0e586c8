//! What starts a task: its triggers in words, when timers fire next, what was decided about them.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::{
    app::TimerDesk,
    ports::{Occurrence, TaskRow, Timer},
    server::{
        Api,
        ui::{
            failure::Failure,
            when::{ago, exact},
        },
    },
    tasks::{
        BaseImageKind, BaseImageTrigger, SourceEvent, SourceTrigger, Status, TimerTrigger,
        schedule::{Schedule, in_words},
    },
};

/// Times of a timer that are foretold.
const TIMES: usize = 4;
/// Past occurrences that are told.
const OCCURRENCES: u32 = 6;

/// All triggers of a task; nothing when only people start it.
pub(super) async fn card(api: &Api, row: &TaskRow) -> Result<Markup, Failure> {
    let triggers = &row.definition.triggers;
    if triggers.is_empty() {
        return Ok(Markup::default());
    }
    let name = &row.definition.name;
    let now = api.app.ports.clock.now();
    let timers = api.app.timers_of(Some(name)).await?;
    let past = match triggers.timer.is_empty() {
        true => Vec::new(),
        false => api.app.occurrences_of(name, OCCURRENCES).await?,
    };
    Ok(html! {
        section class="card" aria-label="Triggers" {
            header { h2 { "Triggers" } span class="dim" { "what starts it by itself" } }
            dl class="triggers body" {
                @for it in &triggers.source { (entry("commit", &it.name, it.status, &source(it))) }
                @for it in &triggers.timer {
                    @let present = timers.iter().find(|timer| timer.name == it.name);
                    (entry("timer", &it.name, it.status, &timer(it, present, now)))
                }
                @if let Some(it) = &triggers.base_image { (entry("base image", &it.name, it.status, &base(it))) }
            }
            @if !past.is_empty() { (history(&past, now)) }
        }
    })
}

fn entry(kind: &str, name: &str, status: Status, about: &Markup) -> Markup {
    html! {
        div {
            dt { b { (name) } " " span class="tag" { (kind) }
                @if status == Status::Disabled { " " span class="tag" { "disabled" } } }
            dd { (about) }
        }
    }
}

fn source(it: &SourceTrigger) -> Markup {
    let events = it.events.iter().map(|event| match event {
        SourceEvent::Commit => "commits",
        SourceEvent::Tag => "tags",
        SourceEvent::PullRequest => "pull requests",
    });
    let events: Vec<&str> = events.collect();
    let branches: Vec<&str> = it
        .branch
        .iter()
        .chain(&it.branches)
        .map(String::as_str)
        .collect();
    html! {
        (events.join(", ")) " of " code { (it.repository) }
        @for (label, globs) in [("branches", branches), ("tags", it.tags.iter().map(String::as_str).collect()),
            ("paths", it.paths.iter().map(String::as_str).collect())] {
            @if !globs.is_empty() { ", " (label) " " code { (globs.join(" ")) } }
        }
        @if let Some(seconds) = it.poll_seconds { ", asked every " (seconds) " s" }
    }
}

fn timer(it: &TimerTrigger, present: Option<&Timer>, now: DateTime<Utc>) -> Markup {
    let schedule = Schedule::of(it).ok();
    let from = present.map_or(now, |timer| timer.next_at - chrono::TimeDelta::seconds(1));
    let times = schedule.as_ref().filter(|_| present.is_some());
    let times: Vec<DateTime<Utc>> = times
        .map(|it| it.after(from).take(TIMES).collect())
        .unwrap_or_default();
    html! {
        code { (it.schedule) } " " span class="dim" { (it.time_zone.as_deref().unwrap_or("UTC")) }
        @if it.jitter_seconds > 0 { span class="dim" { ", up to " (it.jitter_seconds) " s later" } }
        @if let (Some(first), Some(schedule)) = (times.first(), &schedule) {
            p class="next" { "Next " b { (in_words(*first, schedule.zone(), now)) } }
        }
        @if times.len() > 1 {
            p class="dim" { "then " @for (place, time) in times.iter().enumerate().skip(1) {
                @if place > 1 { ", " } (exact(*time)) } }
        }
        @if let Some(problem) = present.and_then(|it| it.problem.as_ref()) { p class="wrong" { (problem) } }
    }
}

fn base(it: &BaseImageTrigger) -> Markup {
    html! {
        @match it.kind {
            BaseImageKind::Runtime => "images that its final stages stand on",
            BaseImageKind::All => "images that any of its stages stands on",
        }
        ", " (it.settle_seconds) " s after the last move"
        @for rule in &it.follow { ", new tags of " code { (rule.image) " " (rule.words()) } }
    }
}

fn history(past: &[Occurrence], now: DateTime<Utc>) -> Markup {
    html! {
        ul class="history" aria-label="What timers did" {
            @for it in past {
                li {
                    (ago(it.decided_at, now)) " " b { (it.timer) } " "
                    @if let Some(run) = &it.run { a class="id" href={ "/runs/" (run) } { (run) } " " }
                    span class="dim" { (it.reason) }
                }
            }
        }
    }
}

//! The time of a run, lane by lane: queue, set-up, each step with its pull, attempts and parts of builds.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use serde_json::Value;

use super::record::Record;
use crate::{
    ports::{AttemptRow, StepRow},
    server::ui::{badge::Look, when::duration},
};

/// The id of the timeline.
pub(super) const ID: &str = "timeline";
/// Lanes of steps that are drawn; more are cut off.
const LANES: usize = 200;
/// Parts of one build that are drawn.
const PARTS: usize = 60;
/// Ticks of the axis, at least.
const TICKS: i64 = 4;
/// Distances between ticks that people like, in milliseconds.
const DISTANCES: [i64; 16] = [
    100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    1_800_000, 3_600_000, 21_600_000,
];

/// A stretch of time on a lane.
struct Bar {
    class: String,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    says: String,
}

/// From when to when the drawing goes.
#[derive(Clone, Copy)]
struct Scale {
    start: DateTime<Utc>,
    millis: f64,
}

impl Scale {
    fn share(self, time: TimeDelta) -> f64 {
        (time.num_milliseconds() as f64 / self.millis * 100.0).clamp(0.0, 100.0)
    }
}

/// The timeline as an element of its own.
pub(super) fn timeline(record: &Record, now: DateTime<Utc>) -> Markup {
    let start = record.run.created_at;
    let end = record.run.ended_at.unwrap_or(now);
    let millis = (end - start).num_milliseconds().max(1) as f64;
    let scale = Scale { start, millis };
    html! {
        div id=(ID) class="timeline" {
            div class="lane axis" { span {} (axis(scale)) }
            (lane("queue and set-up", &ahead(record, now), scale))
            @for step in record.steps.iter().filter(|it| it.started_at.is_some()).take(LANES) {
                (lane(&step.id, &of_step(record, step, now), scale))
                @let parts = parts(step, now);
                @if !parts.is_empty() { (part_lane(&parts, scale)) }
            }
        }
    }
}

fn axis(scale: Scale) -> Markup {
    let millis = scale.millis as i64;
    let distance = DISTANCES.into_iter().rev().find(|it| millis / it >= TICKS);
    let distance = distance.unwrap_or((millis / TICKS).max(1)).max(millis / 12);
    html! {
        svg width="100%" height="18" aria-hidden="true" {
            @for tick in (0..=millis / distance).map(|it| TimeDelta::milliseconds(it * distance)) {
                @let x = scale.share(tick);
                @if x < 95.0 {
                    line x1={ (percent(x)) } x2={ (percent(x)) } y1="0" y2="18" {}
                    text x={ (percent(x)) } dx="4" y="12" { (duration(tick)) }
                }
            }
        }
    }
}

/// What comes before the first step: waiting for a worker, getting ready.
fn ahead(record: &Record, now: DateTime<Utc>) -> Vec<Bar> {
    let run = &record.run;
    let end = run.ended_at.unwrap_or(now);
    let begun = record
        .events
        .iter()
        .find(|it| it.kind == "begun")
        .map(|it| it.at);
    let first = record.steps.iter().filter_map(|it| it.started_at).min();
    let ready = begun.or(first).unwrap_or(end);
    let mut bars = vec![bar(
        "queue",
        run.created_at,
        run.started_at.unwrap_or(end),
        "queued",
    )];
    if let Some(started) = run.started_at {
        bars.push(bar(
            "setup",
            started,
            ready,
            "set-up: context, volumes, networks",
        ));
    }
    let last = record.steps.iter().filter_map(|it| it.ended_at).max();
    if let (Some(last), Some(ended)) = (last, run.ended_at) {
        bars.push(bar("setup", last, ended, "tidying up"));
    }
    bars
}

fn of_step(record: &Record, step: &StepRow, now: DateTime<Utc>) -> Vec<Bar> {
    let mut bars = Vec::new();
    let attempts: Vec<&AttemptRow> = record.attempts_of(step.step).collect();
    if let (Some(start), Some(first)) = (step.started_at, attempts.first()) {
        bars.push(bar("pull", start, first.started_at, "pulling its image"));
    }
    let last = attempts.len();
    for (place, attempt) in attempts.into_iter().enumerate() {
        let end = attempt.ended_at.unwrap_or(now);
        // How an attempt ended is the step's own word only for the last one.
        let class = match (&attempt.outcome, place + 1 == last) {
            (None, _) => "running",
            (Some(_), true) => Look::from(step.status).class,
            (Some(_), false) => "failed",
        };
        let says = format!(
            "attempt {}: {}",
            attempt.attempt,
            attempt.outcome.as_deref().unwrap_or("running")
        );
        bars.push(bar(class, attempt.started_at, end, &says));
    }
    bars
}

/// The parts of a build, as its record tells them.
fn parts(step: &StepRow, now: DateTime<Utc>) -> Vec<Bar> {
    let parts = step.images.pointer("/0/parts").and_then(Value::as_array);
    let part = |it: &Value| {
        let start = DateTime::from_timestamp_millis(it["started_at"].as_i64()?)?;
        let took = it["milliseconds"].as_i64().map(TimeDelta::milliseconds);
        let is_cached = it["cached"].as_bool().unwrap_or(false);
        let class = match (is_cached, it["error"].is_string()) {
            (_, true) => "part failed",
            (true, _) => "part cached",
            _ => "part",
        };
        let end = took.map_or(now, |took| start + took);
        let note = if is_cached { " (cached)" } else { "" };
        Some(bar(
            class,
            start,
            end,
            &format!("{}{note}", it["name"].as_str()?),
        ))
    };
    parts
        .into_iter()
        .flatten()
        .filter_map(part)
        .take(PARTS)
        .collect()
}

fn bar(class: &str, start: DateTime<Utc>, end: DateTime<Utc>, says: &str) -> Bar {
    Bar {
        class: class.to_owned(),
        start,
        end: end.max(start),
        says: format!("{says} · {}", duration(end - start)),
    }
}

fn lane(label: &str, bars: &[Bar], scale: Scale) -> Markup {
    html! {
        div class="lane" {
            span class="label" title=(label) { (label) }
            svg width="100%" height="20" role="img" aria-label=(said(bars)) {
                @for it in bars { (drawn(it, scale, (4, 12))) }
            }
        }
    }
}

fn part_lane(bars: &[Bar], scale: Scale) -> Markup {
    let rows = bars.len();
    html! {
        div class="lane parts" {
            span class="label dim" { (rows) @if rows == 1 { " part" } @else { " parts" } }
            svg width="100%" height=(rows * 5 + 2) role="img" aria-label=(said(bars)) {
                @for (row, it) in bars.iter().enumerate() { (drawn(it, scale, (row * 5, 4))) }
            }
        }
    }
}

fn drawn(it: &Bar, scale: Scale, (y, height): (usize, usize)) -> Markup {
    let x = scale.share(it.start - scale.start);
    let width = scale.share(it.end - it.start).max(0.15);
    html! {
        rect class=(it.class) x=(percent(x)) width=(percent(width)) y=(y) height=(height) rx="2" {
            title { (it.says) }
        }
    }
}

fn said(bars: &[Bar]) -> String {
    let all: Vec<&str> = bars.iter().map(|it| it.says.as_str()).collect();
    all.join("; ")
}

fn percent(share: f64) -> String {
    format!("{share:.2}%")
}

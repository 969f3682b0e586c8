//! The steps of a run, folded, each with its logs.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{outputs::images, record::Record};
use crate::{
    engine::StepStatus,
    ports::{AttemptRow, LogSummary, StepRow},
    server::ui::{badge::Look, live::Piece, when::elapsed},
    spec::StepKind,
};

/// The id of the list.
const ID: &str = "steps";

/// All steps.
pub(super) fn card(record: &Record, now: DateTime<Utc>) -> Markup {
    let is_alone = record.steps.len() == 1;
    html! {
        section class="card" aria-label="Steps" {
            header { h2 { "Steps" } span class="dim" { "each with its log" } }
            div id=(ID) {
                @for step in &record.steps { (whole(record, step, (now, is_alone))) }
            }
        }
    }
}

/// What may have changed of the steps.
pub(super) fn pieces(record: &Record, now: DateTime<Utc>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for step in &record.steps {
        let shell = shell(step, false, &Markup::default());
        pieces.push(Piece::inside(ID, step.id.as_str(), shell).once());
        pieces.push(Piece::new(summary_id(step), summary(record, step, now)));
        pieces.push(Piece::new(about_id(step), about(step)));
        // Who reads the log of a lost worker goes on reading it: the log of the next generation stands below.
        for log in record.earlier_of(step.step) {
            pieces.push(Piece::inside(logs_id(step), earlier_id(log), earlier(log)));
        }
        for attempt in record.attempts_of(step.step) {
            let id = log_id(record, attempt);
            let log = log(record, step, attempt, 0);
            pieces.push(Piece::inside(logs_id(step), id, log).once());
        }
    }
    pieces
}

/// The name under which the viewer knows the log of an attempt.
pub(super) fn log_name(generation: u32, step: u32, attempt: u32) -> String {
    format!("{generation}/{step}/{attempt}")
}

fn whole(record: &Record, step: &StepRow, (now, is_alone): (DateTime<Utc>, bool)) -> Markup {
    let attempts: Vec<&AttemptRow> = record.attempts_of(step.step).collect();
    let needs_a_look = matches!(
        step.status,
        StepStatus::Failed | StepStatus::Errored | StepStatus::TimedOut | StepStatus::Running
    );
    let inner = html! {
        (summary(record, step, now))
        (about(step))
        div id=(logs_id(step)) {
            @for attempt in attempts {
                (log(record, step, attempt, record.lines(step.step, attempt.attempt)))
            }
            @for log in record.earlier_of(step.step) { (earlier(log)) }
        }
    };
    shell(step, is_alone || needs_a_look, &inner)
}

fn shell(step: &StepRow, is_open: bool, inner: &Markup) -> Markup {
    html! {
        details class="step" id=(step.id) data-step=(step.step) open[is_open] {
            @if inner.0.is_empty() {
                summary id=(summary_id(step)) {}
                div id=(about_id(step)) {}
                div id=(logs_id(step)) {}
            } @else { (inner) }
        }
    }
}

fn summary(record: &Record, step: &StepRow, now: DateTime<Utc>) -> Markup {
    let look = Look::from(step.status);
    html! {
        summary id=(summary_id(step)) {
            (look.icon())
            span class="name" { (step.id) }
            span class="kind" { (step.kind) }
            span class="what dim" { (what(record, step.step)) }
            @if step.ignored { span class="tag" { "ignored" } }
            span class={ "state " (look.class) } { (look.word)
                @if let Some(code) = step.exit_code.filter(|it| *it != 0) { " " (code) } }
            (elapsed(step.started_at, step.ended_at, now))
        }
    }
}

/// What a step does, in one line.
fn what(record: &Record, step: u32) -> String {
    let Some(plan) = &record.plan else {
        return String::new();
    };
    match plan.steps().get(step as usize).map(|it| &it.kind) {
        Some(StepKind::Cmd(command)) => command.text.clone(),
        Some(StepKind::Build(build)) => build.text.clone(),
        Some(StepKind::Push(push)) => push.images.join(", "),
        None => String::new(),
    }
}

fn about(step: &StepRow) -> Markup {
    html! {
        div id=(about_id(step)) class="about" {
            @if let Some(reason) = &step.reason {
                p class=[step.status.is_ended().then_some("wrong")] { (reason) }
            }
            (images(&step.images))
        }
    }
}

/// An attempt's log; a script makes a viewer of it, without one its pages are a link away.
fn log(record: &Record, step: &StepRow, attempt: &AttemptRow, lines: u64) -> Markup {
    let (run, generation) = (&record.run.id, record.run.generation);
    let at = |what: &str| {
        let (step, attempt) = (step.step, attempt.attempt);
        format!("/runs/{run}/{what}/{step}/{attempt}?generation={generation}")
    };
    let name = log_name(generation, step.step, attempt.attempt);
    html! {
        div class="log" id=(log_id(record, attempt)) data-log=(name) data-lines=(lines) data-step-id=(step.id)
            data-attempt=(attempt.attempt) data-src=(at("lines")) data-find=(at("find")) {
            div class="log-bar" {
                @if generation > 1 { span { "generation " (generation) } }
                @if attempt.attempt > 1 { span { "attempt " (attempt.attempt) } }
                a href=(at("log")) data-plain { "Read page by page" }
                a href=(at("raw")) download="" { "Download" }
            }
        }
    }
}

/// The log of a generation whose worker was lost: it stays, for someone may have read it.
fn earlier(log: &LogSummary) -> Markup {
    let key = &log.key;
    let path = format!("/runs/{}/log/{}/{}", key.run, key.step, key.attempt);
    html! {
        p class="dim" id=(earlier_id(log)) {
            a href={ (path) "?generation=" (key.generation) } { "Log of generation " (key.generation) }
            @if key.attempt > 1 { ", attempt " (key.attempt) }
            ": " (log.lines) " lines; its worker was lost, and the run began anew"
        }
    }
}

fn summary_id(step: &StepRow) -> String {
    format!("summary-{}", step.step)
}

fn about_id(step: &StepRow) -> String {
    format!("about-{}", step.step)
}

fn logs_id(step: &StepRow) -> String {
    format!("logs-{}", step.step)
}

fn log_id(record: &Record, attempt: &AttemptRow) -> String {
    let generation = record.run.generation;
    format!("log-{generation}-{}-{}", attempt.step, attempt.attempt)
}

fn earlier_id(log: &LogSummary) -> String {
    let key = &log.key;
    format!("earlier-{}-{}-{}", key.generation, key.step, key.attempt)
}

//! The rollouts that move through the fleet: how far each is, what is left, and the buttons that hold or end it.

use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::Redirect,
};
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::{
    app::{RolloutChange, RolloutView, RolloutWish},
    fleet::{Progress, RolloutState},
    ports::{Role, RolloutRow},
    server::{
        Api,
        ui::{
            failure::Failure,
            form::{Posted, button, proof},
            session::Viewer,
            when::{ago, exact},
        },
    },
};

/// The id of the rollouts.
pub(super) const ID: &str = "rollouts";
/// Rollouts that are shown.
pub(super) const SHOWN: u32 = 6;

/// The rollouts as an element of their own; hidden when there are none.
pub(super) fn card(viewer: &Viewer, all: &[RolloutView], now: DateTime<Utc>) -> Markup {
    html! {
        section id=(ID) class="card" aria-label="Rollouts" hidden[all.is_empty()] {
            header { h2 { "Rollouts" } span class="dim" { "newest first" } }
            ul class="rollouts" { @for it in all { (one(viewer, it, now)) } }
        }
    }
}

fn one(viewer: &Viewer, it: &RolloutView, now: DateTime<Utc>) -> Markup {
    let row = &it.rollout;
    html! {
        li {
            div class="rollout-head" {
                b { (row.subject()) } span class="tag" { (row.state.as_str()) } span class="id dim" { (row.id) }
                @if viewer.may(Role::Editor) { (buttons(viewer, row)) }
            }
            (bar(&it.progress))
            p class="dim" {
                (said(&it.progress))
                @if let Some(canary) = &row.canary { ", canary " (canary) }
                @if let Some(most) = row.max_parallel { ", at most " (most) " at once" }
                ", by " (row.by) ", " (ago(row.created_at, now))
            }
            @if let Some(schedule) = &row.schedule { p class="dim" { "next on " (exact(schedule.next_at)) } }
            @if let Some(reason) = &row.reason { p class="dim" { (reason) } }
        }
    }
}

fn buttons(viewer: &Viewer, row: &RolloutRow) -> Markup {
    let one = |change: &str, label: &str, class: &str| {
        let action = format!("/rollouts/{}/{change}", row.id);
        button(viewer, &action, label, class)
    };
    html! {
        span class="actions" {
            @match row.state {
                RolloutState::Running | RolloutState::Scheduled => { (one("pause", "Pause", "")) (one("cancel", "Cancel", "danger")) },
                RolloutState::Paused => { (one("resume", "Go on", "main")) (one("cancel", "Cancel", "danger")) },
                RolloutState::Canceled | RolloutState::Done => {},
            }
        }
    }
}

/// The tasks of a rollout by how they stand, with the classes that colour them.
fn parts(it: &Progress) -> [(usize, &'static str, &'static str); 5] {
    [
        (it.fresh, "succeeded", "fresh"),
        (it.building, "running", "building"),
        (it.ready, "stale", "next"),
        (it.held, "held", "held"),
        (it.stuck, "failed", "stuck"),
    ]
}

fn bar(progress: &Progress) -> Markup {
    let parts = parts(progress);
    let sum = parts.iter().map(|it| it.0).sum::<usize>().max(1) as f64;
    let shares = parts.iter().scan(0.0, |x, (many, class, _)| {
        let (start, width) = (*x, *many as f64 / sum * 100.0);
        *x += width;
        Some((*class, start, width))
    });
    html! {
        svg class="shares" width="100%" height="10" role="img" aria-label=(said(progress)) {
            @for (class, x, width) in shares {
                @if width > 0.0 {
                    rect class=(class) x=(format!("{x:.2}%")) width=(format!("{width:.2}%")) height="10" {}
                }
            }
        }
    }
}

fn said(progress: &Progress) -> String {
    let parts = parts(progress);
    let all: usize = parts.iter().map(|it| it.0).sum();
    let others = parts.iter().skip(1).filter(|it| it.0 > 0);
    let others: Vec<String> = others.map(|it| format!("{} {}", it.0, it.2)).collect();
    let fresh = format!("{} of {all} fresh", progress.fresh);
    match others.is_empty() {
        true => fresh,
        false => format!("{fresh}, {}", others.join(", ")),
    }
}

/// The form that begins a rollout: of what stands on one image, or of all that is stale.
pub(super) fn form(viewer: &Viewer, around: &str) -> Markup {
    html! {
        details class="card run-now" {
            summary { "Bring it up to date" }
            form method="post" action="/rollouts" class="stack body" {
                (proof(viewer))
                label for="base" { "What stands on" }
                input id="base" name="base" value=(around) placeholder="everything that is stale" autocomplete="off"
                    spellcheck="false";
                label for="canary" { "First alone" }
                input id="canary" name="canary" placeholder="a task that must succeed first; none" autocomplete="off"
                    spellcheck="false";
                label for="most" { "Builds at once" }
                input id="most" name="most" inputmode="numeric" placeholder="as many as workers take" autocomplete="off";
                button class="main" { "Begin" }
            }
        }
    }
}

/// Begins a rollout and leads back to the fleet.
pub(in crate::server::ui) async fn begin(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    posted: Posted,
) -> Result<Redirect, Failure> {
    viewer.caller.may(Role::Editor)?;
    let most = posted.given("most").map(|it| it.parse::<u32>());
    let most = most.transpose().map_err(|_| {
        let message = "builds at once are a number from 1";
        Failure::new(StatusCode::BAD_REQUEST, message)
    })?;
    let wish = RolloutWish {
        bases: posted.given("base").into_iter().collect(),
        max_parallel: most,
        canary: posted.given("canary"),
        ..RolloutWish::default()
    };
    api.app.begin_rollout(&wish, &viewer.caller.who).await?;
    Ok(Redirect::to("/fleet"))
}

/// Lets a rollout rest, go on, or end, and leads back to the fleet.
pub(in crate::server::ui) async fn change(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path((id, change)): Path<(String, String)>,
    _: Posted,
) -> Result<Redirect, Failure> {
    viewer.caller.may(Role::Editor)?;
    let change = match change.as_str() {
        "pause" => RolloutChange::Pause,
        "resume" => RolloutChange::Resume { retry: false },
        "cancel" => RolloutChange::Cancel,
        other => {
            let message = format!("a rollout cannot be changed by {other:?}");
            return Err(Failure::new(StatusCode::NOT_FOUND, message));
        }
    };
    api.app
        .change_rollout(&id, change, &viewer.caller.who)
        .await?;
    Ok(Redirect::to("/fleet"))
}

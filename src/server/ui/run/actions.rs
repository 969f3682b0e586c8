//! What one may do with a run: approve it, run it again, all of it or what is left, or stop it.

use axum::{
    Extension,
    extract::{Path, State},
    response::Redirect,
};
use maud::{Markup, html};

use crate::{
    engine::RunStatus,
    ports::{Role, RunRow},
    server::{
        Api,
        ui::{
            failure::Failure,
            form::{Posted, button},
            session::Viewer,
        },
    },
};

/// The id of the buttons.
pub(super) const ID: &str = "actions";

/// The buttons as an element of their own.
pub(super) fn buttons(viewer: &Viewer, run: &RunRow) -> Markup {
    let one = |verb: &str, label, class| {
        let action = format!("/runs/{}/{verb}", run.id);
        button(viewer, &action, label, class)
    };
    let is_over = run.status.is_ended();
    html! {
        div id=(ID) class="actions" {
            @if waits_for_approval(run) {
                @if viewer.may(Role::Editor) { (one("approve", "Approve", "main")) (one("deny", "Deny", "danger")) }
            } @else if viewer.may(Role::Runner) {
                @if is_over && run.status != RunStatus::Succeeded { (one("retry", "Retry what is left", "")) }
                (one("rerun", "Run again", "main"))
                @if !is_over { (one("cancel", "Cancel", "danger")) }
            }
        }
    }
}

/// Says whether a person must approve the run before it goes.
pub(super) fn waits_for_approval(run: &RunRow) -> bool {
    let is_held = run.trigger.as_ref().is_some_and(|it| it.needs_approval);
    is_held && run.status == RunStatus::Queued
}

/// Lets a run go that waits for approval.
pub(in crate::server::ui) async fn approve(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(run): Path<String>,
    _: Posted,
) -> Result<Redirect, Failure> {
    viewer.caller.may(Role::Editor)?;
    let id = api.app.ports.store.find(&run).await?;
    api.app.approve_run(&id, &viewer.caller.who).await?;
    Ok(Redirect::to(&format!("/runs/{id}")))
}

/// Ends a run that waits for approval.
pub(in crate::server::ui) async fn deny(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(run): Path<String>,
    _: Posted,
) -> Result<Redirect, Failure> {
    viewer.caller.may(Role::Editor)?;
    stop(&api, &run, format!("denied by {}", viewer.caller.who)).await
}

/// Queues a run that did not succeed again, keeping what it made, and leads to the new run.
pub(in crate::server::ui) async fn retry(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(run): Path<String>,
    _: Posted,
) -> Result<Redirect, Failure> {
    viewer.caller.may(Role::Runner)?;
    let id = api.app.ports.store.find(&run).await?;
    let bound = viewer.caller.credentials.as_ref();
    let (new, _) = api.app.enqueue_retry(&id, bound).await?;
    Ok(Redirect::to(&format!("/runs/{new}")))
}

/// Queues a run's request again and leads to the new run.
pub(in crate::server::ui) async fn rerun(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(run): Path<String>,
    _: Posted,
) -> Result<Redirect, Failure> {
    viewer.caller.may(Role::Runner)?;
    let id = api.app.ports.store.find(&run).await?;
    let (new, _) = api
        .app
        .enqueue_again(&id, viewer.caller.credentials.as_ref())
        .await?;
    Ok(Redirect::to(&format!("/runs/{new}")))
}

/// Stops a run and leads back to it.
pub(in crate::server::ui) async fn cancel(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(run): Path<String>,
    _: Posted,
) -> Result<Redirect, Failure> {
    viewer.caller.may(Role::Runner)?;
    stop(&api, &run, format!("canceled by {}", viewer.caller.who)).await
}

async fn stop(api: &Api, run: &str, reason: String) -> Result<Redirect, Failure> {
    let id = api.app.ports.store.find(run).await?;
    api.app.cancel(&id, &reason).await?;
    Ok(Redirect::to(&format!("/runs/{id}")))
}

//! What one may do with a run: run it again, or stop it.

use axum::{
    Extension,
    extract::{Path, State},
    response::Redirect,
};
use maud::{Markup, html};

use crate::{
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
    html! {
        div id=(ID) class="actions" {
            @if viewer.may(Role::Runner) {
                (button(viewer, &format!("/runs/{}/rerun", run.id), "Run again", "main"))
                @if !run.status.is_ended() {
                    (button(viewer, &format!("/runs/{}/cancel", run.id), "Cancel", "danger"))
                }
            }
        }
    }
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
    let id = api.app.ports.store.find(&run).await?;
    let reason = format!("canceled by {}", viewer.caller.who);
    api.app.cancel(&id, &reason).await?;
    Ok(Redirect::to(&format!("/runs/{id}")))
}

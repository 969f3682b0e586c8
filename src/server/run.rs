//! `/api/v1/runs/{run}`: one run.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};

use super::{
    Api,
    access::Caller,
    error::{ApiError, ErrorBody},
    queueing::answer,
    views::{QueuedRun, RunDetail, RunView},
};
use crate::ports::Role;

/// Shows a run; `latest`, `latest~1` and the beginning of an id name one, too.
#[utoipa::path(get, path = "/runs/{run}", tag = "runs",
    responses((status = 200, body = RunDetail), (status = 404, body = ErrorBody)))]
pub async fn show(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(run): Path<String>,
) -> Result<Json<RunDetail>, ApiError> {
    caller.may(Role::Reader)?;
    let store = &api.app.ports.store;
    let id = store.find(&run).await?;
    let row = store.run(&id).await?;
    let place = api.app.place(&row).await?;
    Ok(Json(RunDetail {
        run: RunView::from(row).at(place),
        step_list: store.steps(&id).await?,
        attempts: store.attempts(&id).await?,
    }))
}

/// Stops a run, whatever it is doing; one that has ended stays as it is.
#[utoipa::path(post, path = "/runs/{run}/cancel", tag = "runs",
    responses((status = 202, body = RunView), (status = 404, body = ErrorBody)))]
pub async fn cancel(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(run): Path<String>,
) -> Result<(StatusCode, Json<RunView>), ApiError> {
    caller.may(Role::Runner)?;
    let id = api.app.ports.store.find(&run).await?;
    let reason = format!("canceled by {}", caller.who);
    api.app.cancel(&id, &reason).await?;
    let row = api.app.ports.store.run(&id).await?;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}

/// Lets a run go that waits for approval, such as one of a fork's pull request.
#[utoipa::path(post, path = "/runs/{run}/approve", tag = "runs",
    responses((status = 202, body = RunView), (status = 400, body = ErrorBody)))]
pub async fn approve(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(run): Path<String>,
) -> Result<(StatusCode, Json<RunView>), ApiError> {
    caller.may(Role::Editor)?;
    let id = api.app.ports.store.find(&run).await?;
    api.app.approve_run(&id, &caller.who).await?;
    let row = api.app.ports.store.run(&id).await?;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}

/// Queues a recorded request again, as a run of its own.
#[utoipa::path(post, path = "/runs/{run}/rerun", tag = "runs",
    responses((status = 201, body = QueuedRun), (status = 404, body = ErrorBody)))]
pub async fn rerun(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(run): Path<String>,
) -> Result<(StatusCode, Json<QueuedRun>), ApiError> {
    caller.may(Role::Runner)?;
    let id = api.app.ports.store.find(&run).await?;
    let bound = caller.credentials.as_ref();
    Ok(answer(api.app.enqueue_again(&id, bound).await?))
}

/// Queues a run that did not succeed again, keeping what it made and is still there.
#[utoipa::path(post, path = "/runs/{run}/retry", tag = "runs",
    responses((status = 201, body = QueuedRun), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub async fn retry(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(run): Path<String>,
) -> Result<(StatusCode, Json<QueuedRun>), ApiError> {
    caller.may(Role::Runner)?;
    let id = api.app.ports.store.find(&run).await?;
    let bound = caller.credentials.as_ref();
    Ok(answer(api.app.enqueue_retry(&id, bound).await?))
}

//! `/api/v1/workers`: who drives runs, what each has and does, and who is to take no more.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};

use super::{
    Api,
    access::Caller,
    error::{ApiError, ErrorBody},
};
use crate::{
    app::WorkerDesk,
    ports::{Role, WorkerRow, WorkerState},
};

/// Lists the workers that were heard of within a day, by name.
#[utoipa::path(get, path = "/workers", tag = "workers",
    responses((status = 200, body = Vec<WorkerRow>)))]
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Vec<WorkerRow>>, ApiError> {
    caller.may(Role::Reader)?;
    Ok(Json(WorkerDesk::workers(&*api.app).await?))
}

/// Keeps a worker from taking further runs; those that it has end.
#[utoipa::path(post, path = "/workers/{worker}/drain", tag = "workers",
    responses((status = 204), (status = 400, body = ErrorBody)))]
pub async fn drain(
    state: State<Api>,
    caller: Extension<Caller>,
    worker: Path<String>,
) -> Result<StatusCode, ApiError> {
    set(state, caller, worker, WorkerState::Draining).await
}

/// Lets a worker take runs again.
#[utoipa::path(post, path = "/workers/{worker}/resume", tag = "workers",
    responses((status = 204), (status = 400, body = ErrorBody)))]
pub async fn resume(
    state: State<Api>,
    caller: Extension<Caller>,
    worker: Path<String>,
) -> Result<StatusCode, ApiError> {
    set(state, caller, worker, WorkerState::Active).await
}

async fn set(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(worker): Path<String>,
    state: WorkerState,
) -> Result<StatusCode, ApiError> {
    caller.may(Role::Admin)?;
    WorkerDesk::set_worker(&*api.app, &worker, state).await?;
    Ok(StatusCode::NO_CONTENT)
}

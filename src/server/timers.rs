//! `/api/v1/timers`: what waits for its time, and what was decided when it came.

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Api,
    access::Caller,
    error::{ApiError, Query},
};
use crate::{
    app::TimerDesk,
    ports::{Occurrence, Role, Timer},
};

/// Which timers to list.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Wanted {
    /// Only those of this task.
    task: Option<String>,
}

/// How many decisions to list.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Most {
    /// At most so many; 50 unless said.
    limit: Option<u32>,
}

/// Lists timers with their next times, by task and name.
#[utoipa::path(get, path = "/timers", tag = "tasks", params(Wanted),
    responses((status = 200, body = Vec<Timer>)))]
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Timer>>, ApiError> {
    caller.may(Role::Reader)?;
    Ok(Json(api.app.timers_of(wanted.task.as_deref()).await?))
}

/// Lists what was decided about the times of a task's timers, latest first.
#[utoipa::path(get, path = "/tasks/{task}/occurrences", tag = "tasks", params(Most),
    responses((status = 200, body = Vec<Occurrence>)))]
pub async fn occurrences(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(task): Path<String>,
    Query(most): Query<Most>,
) -> Result<Json<Vec<Occurrence>>, ApiError> {
    caller.may(Role::Reader)?;
    let limit = most.limit.unwrap_or(50).min(500);
    Ok(Json(api.app.occurrences_of(&task, limit).await?))
}

//! `/api/v1/tasks/{task}/versions`: what a task was.

use axum::{
    Extension, Json,
    extract::{Path, State},
};

use super::{
    Api,
    access::Caller,
    error::{ApiError, ErrorBody},
};
use crate::ports::{Role, TaskVersion};

/// Lists all versions of a task, newest first, also of one that was deleted.
#[utoipa::path(get, path = "/tasks/{task}/versions", tag = "tasks",
    responses((status = 200, body = Vec<TaskVersion>), (status = 404, body = ErrorBody)))]
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(task): Path<String>,
) -> Result<Json<Vec<TaskVersion>>, ApiError> {
    caller.may(Role::Reader)?;
    Ok(Json(api.app.tasks.task_versions(&task).await?))
}

/// Shows one version of a task.
#[utoipa::path(get, path = "/tasks/{task}/versions/{version}", tag = "tasks",
    responses((status = 200, body = TaskVersion), (status = 404, body = ErrorBody)))]
pub async fn show(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((task, version)): Path<(String, u32)>,
) -> Result<Json<TaskVersion>, ApiError> {
    caller.may(Role::Reader)?;
    Ok(Json(api.app.tasks.task_version(&task, version).await?))
}

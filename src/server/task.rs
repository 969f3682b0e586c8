//! `/api/v1/tasks/{task}`: one stored task.

use std::collections::BTreeMap;

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    Api,
    access::Caller,
    error::{ApiError, Body, ErrorBody},
    queueing::enqueue,
    runs::check_allowed,
    views::QueuedRun,
};
use crate::{
    app::{Overrides, SecretText, TaskWish},
    ports::{Expected, Placement, Role, TaskRow},
    tasks::Definition,
};

/// A task to be stored.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutTask {
    /// What it is made of.
    pub definition: Definition,
    /// Secret values to set; those not given stay.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub secrets: BTreeMap<String, SecretText>,
    /// The manifest file it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
}

/// What one run of a task does differently.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunTask {
    /// The task file.
    pub file: Option<String>,
    /// Values, over the task's own.
    #[schema(value_type = Object)]
    pub values: Map<String, Value>,
    /// Secret values, over the task's own.
    #[schema(value_type = BTreeMap<String, String>)]
    pub secrets: BTreeMap<String, SecretText>,
    /// Build arguments, over the task's own.
    pub arguments: BTreeMap<String, String>,
    /// The stage to stop at.
    pub target: Option<String>,
}

/// A task, with its version as the ETag.
type Tagged = ([(header::HeaderName, String); 1], Json<TaskRow>);

/// Shows a task; its ETag is its version.
#[utoipa::path(get, path = "/tasks/{task}", tag = "tasks",
    responses((status = 200, body = TaskRow), (status = 404, body = ErrorBody)))]
pub async fn show(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(task): Path<String>,
) -> Result<Tagged, ApiError> {
    caller.may(Role::Reader)?;
    Ok(tagged(api.app.tasks.task(&task).await?))
}

/// Stores a task: `If-None-Match: *` only a new one, `If-Match` only in place of that version.
#[utoipa::path(put, path = "/tasks/{task}", tag = "tasks", request_body = PutTask,
    responses((status = 200, body = TaskRow), (status = 412, body = ErrorBody)))]
pub async fn put(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(task): Path<String>,
    headers: HeaderMap,
    Body(mut put): Body<PutTask>,
) -> Result<Tagged, ApiError> {
    caller.may(Role::Editor)?;
    check_allowed(&api, &put.definition.allow)?;
    if put.definition.name.is_empty() {
        put.definition.name.clone_from(&task);
    }
    if put.definition.name != task {
        let message = format!(
            "the body names task {}, the path {task}",
            put.definition.name
        );
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "invalid_body",
            message,
        ));
    }
    let secrets = put.secrets.into_iter().map(|(name, it)| (name, it.0));
    let wish = TaskWish {
        definition: put.definition,
        secrets: secrets.collect(),
        expected: expected(&headers)?,
        manifest: put.manifest,
    };
    Ok(tagged(api.app.put_task(wish, &caller.who).await?))
}

/// Deletes a task; its history stays.
#[utoipa::path(delete, path = "/tasks/{task}", tag = "tasks",
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub async fn delete(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(task): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.may(Role::Editor)?;
    api.app.delete_task(&task, &caller.who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Queues a run of a task.
#[utoipa::path(post, path = "/tasks/{task}/runs", tag = "tasks", request_body = RunTask,
    responses((status = 201, body = QueuedRun), (status = 404, body = ErrorBody)))]
pub async fn run(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(task): Path<String>,
    Body(wish): Body<RunTask>,
) -> Result<(StatusCode, Json<QueuedRun>), ApiError> {
    caller.may(Role::Runner)?;
    let row = api.app.tasks.task(&task).await?;
    check_allowed(&api, &row.definition.allow)?;
    let secrets = wish.secrets.into_iter().map(|(name, it)| (name, it.0));
    let overrides = Overrides {
        context: None,
        file: wish.file,
        values: wish.values,
        secrets: secrets.collect(),
        arguments: wish.arguments,
        target: wish.target,
    };
    let (mut request, secrets) = api.app.asked_request(&row, overrides).await?;
    if request.deferred.is_none() {
        api.app
            .read_alias_files(&mut request, &secrets, false)
            .await?;
    }
    let place = Placement::from(&row.definition);
    enqueue((&api, &caller), (request, secrets), &place).await
}

fn tagged(row: TaskRow) -> Tagged {
    ([(header::ETAG, format!("\"{}\"", row.version))], Json(row))
}

/// Reads what must be there from the conditions of a request.
fn expected(headers: &HeaderMap) -> Result<Expected, ApiError> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|it| it.to_str().ok())
            .map(str::trim)
    };
    match (text(header::IF_NONE_MATCH), text(header::IF_MATCH)) {
        (Some("*"), None) => Ok(Expected::Nothing),
        (None, None | Some("*")) => Ok(Expected::Any),
        (None, Some(tag)) => tag
            .trim_matches('"')
            .parse()
            .map(Expected::Version)
            .map_err(|_| {
                ApiError::new(
                    StatusCode::BAD_REQUEST,
                    "invalid_condition",
                    "If-Match holds no ETag of a task",
                )
                .hint("Send the ETag of GET /api/v1/tasks/{task}")
            }),
        (Some(_), _) => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "invalid_condition",
            "If-None-Match of a PUT can only be *",
        )),
    }
}

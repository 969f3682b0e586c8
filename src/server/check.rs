//! `/api/v1/check`: says what is wrong with a task file, and runs nothing.

use axum::{Extension, Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    Api,
    access::Caller,
    error::{ApiError, Body, ErrorBody},
};
use crate::{
    app::{AppError, RunWish, check},
    ports::Role,
    text::{Source, to_json},
};

/// A task file to be checked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckText {
    /// Its text.
    pub text: String,
    /// Values that templates see as `.Values.NAME`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub values: Map<String, Value>,
    /// The registry that the task calls its own.
    #[serde(default)]
    pub registry: String,
}

/// What a check found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Checked {
    /// What is wrong, and where: lines and columns count from 1.
    #[schema(value_type = Vec<Object>)]
    pub findings: Value,
}

/// Checks a task file; all findings at once. Secrets are stood in for.
#[utoipa::path(post, path = "/check", tag = "tasks", request_body = CheckText,
    responses((status = 200, body = Checked), (status = 400, body = ErrorBody)))]
pub async fn task_file(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Body(wanted): Body<CheckText>,
) -> Result<Json<Checked>, ApiError> {
    caller.may(Role::Reader)?;
    let text = wanted.text.clone();
    let wish = RunWish::of_text(wanted.text, wanted.values, wanted.registry);
    let (request, secrets) = api.app.wished_request(wish, None).await?;
    // Templates can be made to take a while.
    let findings = tokio::task::spawn_blocking(move || check(&request, &secrets)).await;
    let findings = findings.map_err(|error| AppError::Files(error.to_string()))?;
    let source = Source {
        name: "task file",
        text: &text,
    };
    let findings = to_json(&source, &findings);
    Ok(Json(Checked { findings }))
}

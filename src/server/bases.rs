//! `/api/v1/bases`: what tasks stand on, what is looked at, and what was decided when it moved.

use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Api,
    access::Caller,
    error::{ApiError, Query},
};
use crate::{
    app::BaseDesk,
    ports::{BaseDecision, BaseRow, Role, Watch},
};

/// Whose bases to list, and how many rows.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Wanted {
    /// Only those of this task.
    task: Option<String>,
    /// At most so many decisions; 50 unless said.
    limit: Option<u32>,
}

/// Lists what tasks stand on, as last learned.
#[utoipa::path(get, path = "/bases", tag = "tasks", params(Wanted),
    responses((status = 200, body = Vec<BaseRow>)))]
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<BaseRow>>, ApiError> {
    caller.may(Role::Reader)?;
    Ok(Json(api.app.bases_of(wanted.task.as_deref()).await?))
}

/// Lists what is looked at in registries, when next, and why the last look failed if it did.
#[utoipa::path(get, path = "/bases/watches", tag = "tasks", params(Wanted),
    responses((status = 200, body = Vec<Watch>)))]
pub async fn watches(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Watch>>, ApiError> {
    caller.may(Role::Reader)?;
    Ok(Json(api.app.watches_of(wanted.task.as_deref()).await?))
}

/// Lists what was decided when bases moved, latest first.
#[utoipa::path(get, path = "/bases/decisions", tag = "tasks", params(Wanted),
    responses((status = 200, body = Vec<BaseDecision>)))]
pub async fn decisions(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<BaseDecision>>, ApiError> {
    caller.may(Role::Reader)?;
    let limit = wanted.limit.unwrap_or(50).min(500);
    let told = api.app.base_decisions_of(wanted.task.as_deref(), limit);
    Ok(Json(told.await?))
}

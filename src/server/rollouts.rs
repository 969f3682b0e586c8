//! `/api/v1/rollouts`: tasks that are brought up to date together.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Api,
    access::Caller,
    error::{ApiError, Body, ErrorBody, Query},
};
use crate::{
    app::{RolloutChange, RolloutView, RolloutWish},
    ports::Role,
};

/// How many rollouts are listed unless said, and at most.
const USUAL: u32 = 50;
const MOST: u32 = 500;

/// Which rollouts to list.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Wanted {
    /// Only those that are not over.
    open: Option<bool>,
    /// At most so many; 50 unless said.
    limit: Option<u32>,
}

/// How a rollout goes on.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Again {
    /// Whether what failed is tried again.
    retry: Option<bool>,
}

/// Lists rollouts, newest first.
#[utoipa::path(get, path = "/rollouts", tag = "fleet", operation_id = "list_rollouts", params(Wanted),
    responses((status = 200, body = Vec<RolloutView>)))]
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<RolloutView>>, ApiError> {
    caller.may(Role::Reader)?;
    let limit = wanted.limit.unwrap_or(USUAL).min(MOST);
    let listed = api
        .app
        .list_rollouts(wanted.open.unwrap_or_default(), limit);
    Ok(Json(listed.await?))
}

/// Begins a rollout, or with a schedule lets one begin again and again.
#[utoipa::path(post, path = "/rollouts", tag = "fleet", request_body = RolloutWish,
    responses((status = 201, body = RolloutView), (status = 400, body = ErrorBody)))]
pub async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Body(wish): Body<RolloutWish>,
) -> Result<(StatusCode, Json<RolloutView>), ApiError> {
    caller.may(Role::Editor)?;
    let begun = api.app.begin_rollout(&wish, &caller.who).await?;
    let shown = api.app.show_rollout(&begun.id).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Shows a rollout with how its tasks stand.
#[utoipa::path(get, path = "/rollouts/{rollout}", tag = "fleet",
    responses((status = 200, body = RolloutView), (status = 400, body = ErrorBody)))]
pub async fn show(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(rollout): Path<String>,
) -> Result<Json<RolloutView>, ApiError> {
    caller.may(Role::Reader)?;
    Ok(Json(api.app.show_rollout(&rollout).await?))
}

/// Lets a rollout begin nothing more until it is resumed.
#[utoipa::path(post, path = "/rollouts/{rollout}/pause", tag = "fleet",
    responses((status = 200, body = RolloutView), (status = 400, body = ErrorBody)))]
pub async fn pause(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(rollout): Path<String>,
) -> Result<Json<RolloutView>, ApiError> {
    change(&api, &caller, (&rollout, RolloutChange::Pause)).await
}

/// Lets a rollout go on.
#[utoipa::path(post, path = "/rollouts/{rollout}/resume", tag = "fleet", params(Again),
    responses((status = 200, body = RolloutView), (status = 400, body = ErrorBody)))]
pub async fn resume(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(rollout): Path<String>,
    Query(again): Query<Again>,
) -> Result<Json<RolloutView>, ApiError> {
    let retry = again.retry.unwrap_or_default();
    change(&api, &caller, (&rollout, RolloutChange::Resume { retry })).await
}

/// Lets a rollout begin nothing more for good; what is under way ends by itself.
#[utoipa::path(post, path = "/rollouts/{rollout}/cancel", tag = "fleet", operation_id = "cancel_rollout",
    responses((status = 200, body = RolloutView), (status = 400, body = ErrorBody)))]
pub async fn cancel(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(rollout): Path<String>,
) -> Result<Json<RolloutView>, ApiError> {
    change(&api, &caller, (&rollout, RolloutChange::Cancel)).await
}

async fn change(
    api: &Api,
    caller: &Caller,
    (rollout, change): (&str, RolloutChange),
) -> Result<Json<RolloutView>, ApiError> {
    caller.may(Role::Editor)?;
    api.app.change_rollout(rollout, change, &caller.who).await?;
    Ok(Json(api.app.show_rollout(rollout).await?))
}

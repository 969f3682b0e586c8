//! `/api/v1/hooks`: what came, what was decided and why, and deciding it again.

use axum::{
    Extension, Json,
    extract::{Path, State},
};

use super::super::{
    Api,
    access::Caller,
    error::{ApiError, ErrorBody, Query},
    page::{Page, PageQuery},
};
use crate::ports::{Decision, Delivery, DeliveryFilter, Rejection, Role};

/// How many refused deliveries are shown.
const REJECTIONS: u32 = 100;

/// Lists deliveries, newest first, with what was decided.
#[utoipa::path(get, path = "/hooks", tag = "hooks", params(PageQuery),
    responses((status = 200, body = Page<Delivery>), (status = 401, body = ErrorBody)))]
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Delivery>>, ApiError> {
    caller.may(Role::Reader)?;
    let filter = DeliveryFilter {
        before: page.cursor.as_deref().and_then(|it| it.parse().ok()),
        limit: page.one_more(),
    };
    let rows = api.app.deliveries.deliveries(&filter).await?;
    Ok(Json(page.cut(rows, |it| it.number.to_string())))
}

/// Shows one delivery.
#[utoipa::path(get, path = "/hooks/{delivery}", tag = "hooks",
    responses((status = 200, body = Delivery), (status = 400, body = ErrorBody)))]
pub async fn show(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(delivery): Path<u64>,
) -> Result<Json<Delivery>, ApiError> {
    caller.may(Role::Reader)?;
    Ok(Json(api.app.delivery(delivery).await?))
}

/// Decides a delivery again, by the tasks as they are now.
#[utoipa::path(post, path = "/hooks/{delivery}/replay", tag = "hooks",
    responses((status = 200, body = Decision), (status = 400, body = ErrorBody)))]
pub async fn replay(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(delivery): Path<u64>,
) -> Result<Json<Decision>, ApiError> {
    caller.may_replay()?;
    Ok(Json(api.app.replay_delivery(delivery).await?))
}

/// Lists deliveries that were refused: when, from where, how large and why is all that is kept.
#[utoipa::path(get, path = "/hooks/rejected", tag = "hooks",
    responses((status = 200, body = Vec<Rejection>), (status = 401, body = ErrorBody)))]
pub async fn rejections(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Vec<Rejection>>, ApiError> {
    caller.may(Role::Editor)?;
    Ok(Json(api.app.deliveries.rejections(REJECTIONS).await?))
}

//! `/api/v1/contexts/{digest}`: contexts that clients upload in chunks.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Api,
    access::Caller,
    error::{ApiError, ErrorBody, Query},
};
use crate::{
    app::{ContextDigest, Upload},
    ports::Role,
};

/// How much of a context the server has.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ContextView {
    /// Its digest.
    pub digest: String,
    /// How many bytes of it are here; the next chunk begins there.
    pub bytes: u64,
    /// Whether it is here whole and can be named by a run.
    pub whole: bool,
}

/// Where a chunk begins.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Offset {
    /// The number of its first byte.
    offset: u64,
}

/// Says how much of a context is here; 0 bytes when nothing is.
#[utoipa::path(get, path = "/contexts/{digest}", tag = "contexts",
    responses((status = 200, body = ContextView), (status = 400, body = ErrorBody)))]
pub async fn show(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(digest): Path<String>,
) -> Result<Json<ContextView>, ApiError> {
    caller.may(Role::Runner)?;
    let digest = ContextDigest::parse(&digest)?;
    Ok(Json(view(&digest, api.app.upload(&digest).await?)))
}

/// Adds a chunk; answers 409 with what is here when it does not begin there.
#[utoipa::path(patch, path = "/contexts/{digest}", tag = "contexts", params(Offset),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = ContextView), (status = 409, body = ContextView)))]
pub async fn append(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(digest): Path<String>,
    Query(Offset { offset }): Query<Offset>,
    chunk: Bytes,
) -> Result<(StatusCode, Json<ContextView>), ApiError> {
    caller.may(Role::Runner)?;
    let digest = ContextDigest::parse(&digest)?;
    let present = api.app.append(&digest, offset, &chunk).await?;
    let is_added = present == Upload::Partial(offset + chunk.len() as u64);
    let status = match is_added {
        true => StatusCode::OK,
        false => StatusCode::CONFLICT,
    };
    Ok((status, Json(view(&digest, present))))
}

/// Keeps a context whose chunks are all here, if their hash is the digest.
#[utoipa::path(post, path = "/contexts/{digest}", tag = "contexts",
    responses((status = 201, body = ContextView), (status = 400, body = ErrorBody)))]
pub async fn finish(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(digest): Path<String>,
) -> Result<(StatusCode, Json<ContextView>), ApiError> {
    caller.may(Role::Runner)?;
    let digest = ContextDigest::parse(&digest)?;
    let whole = api.app.finish_upload(&digest).await?;
    Ok((StatusCode::CREATED, Json(view(&digest, whole))))
}

fn view(digest: &ContextDigest, upload: Upload) -> ContextView {
    let (bytes, whole) = match upload {
        Upload::Partial(bytes) => (bytes, false),
        Upload::Whole(bytes) => (bytes, true),
    };
    let digest = digest.to_string();
    ContextView {
        digest,
        bytes,
        whole,
    }
}

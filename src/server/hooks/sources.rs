//! `/api/v1/hooks/sources`: who may deliver.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{
    Api,
    access::Caller,
    error::{ApiError, Body, ErrorBody},
};
use crate::{
    app::{NewSource, SecretText, SourceView},
    ports::Role,
    triggers::Provider,
};

/// A source to be set.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutSource {
    /// The kind of code host.
    pub provider: Provider,
    /// The one task it may start; all that watch its repositories when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The secret; one is drawn when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub secret: Option<SecretText>,
    /// A token for the code host's interface; the one there was stays when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub token: Option<SecretText>,
    /// Where that interface is, if that is not told by the repository's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
}

/// The answer to a source that was set.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct SetSource {
    /// The secret, if it was drawn; it is shown this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Lists who may deliver; no secret is shown.
#[utoipa::path(get, path = "/hooks/sources", tag = "hooks",
    responses((status = 200, body = Vec<SourceView>), (status = 403, body = ErrorBody)))]
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Vec<SourceView>>, ApiError> {
    caller.may(Role::Editor)?;
    Ok(Json(api.app.hook_sources().await?))
}

/// Sets who may deliver; the secret that a source had before counts for another day.
#[utoipa::path(put, path = "/hooks/sources/{source}", tag = "hooks", request_body = PutSource,
    responses((status = 200, body = SetSource), (status = 403, body = ErrorBody)))]
pub async fn put(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(source): Path<String>,
    Body(put): Body<PutSource>,
) -> Result<Json<SetSource>, ApiError> {
    caller.may(Role::Admin)?;
    let new = NewSource {
        name: source,
        provider: put.provider,
        task: put.task,
        secret: put.secret.map(|it| it.0),
        token: put.token.map(|it| it.0),
        api: put.api,
    };
    let drawn = api.app.set_hook_source(new).await?;
    let secret = drawn.map(|it| it.expose_secret().to_owned());
    Ok(Json(SetSource { secret }))
}

/// Lets a source deliver no more.
#[utoipa::path(delete, path = "/hooks/sources/{source}", tag = "hooks",
    responses((status = 204), (status = 400, body = ErrorBody)))]
pub async fn remove(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(source): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.may(Role::Admin)?;
    api.app.remove_hook_source(&source).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! `/api/v1/tokens`: who may use the server.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api,
    access::Caller,
    again::Unkept,
    error::{ApiError, Body, ErrorBody},
};
use crate::ports::{CredentialScopes, Role, TokenRow};

/// A token to be made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Who or what will bear it.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// What its bearer's runs may use credentials for, such as `pull:r.io/team` and `push:r.io/team/app`; all that the
    /// server has when nothing is said, none where the list is empty.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub credentials: Option<CredentialScopes>,
    /// When it stops being good; never when nothing is said.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token with its secret, which is shown this once.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct MadeToken {
    /// The token.
    #[serde(flatten)]
    pub token: TokenRow,
    /// What its bearer sends.
    pub secret: String,
}

/// Lists all tokens, oldest first, without their secrets.
#[utoipa::path(get, path = "/tokens", tag = "tokens",
    responses((status = 200, body = Vec<TokenRow>), (status = 403, body = ErrorBody)))]
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Vec<TokenRow>>, ApiError> {
    caller.may(Role::Admin)?;
    Ok(Json(api.app.access.tokens().await?))
}

/// Makes a token; its secret is shown this once.
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = NewToken,
    responses((status = 201, body = MadeToken), (status = 403, body = ErrorBody)))]
pub async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Extension<Unkept>, Json<MadeToken>), ApiError> {
    caller.may(Role::Admin)?;
    let may = (new.role, new.credentials);
    let made = api.app.create_token_within(&new.name, may, new.expires_at);
    let (token, secret) = made.await?;
    let secret = secret.expose_secret().to_owned();
    let made = Json(MadeToken { token, secret });
    Ok((StatusCode::CREATED, Extension(Unkept), made))
}

/// Revokes a token at once.
#[utoipa::path(delete, path = "/tokens/{token}", tag = "tokens",
    responses((status = 204), (status = 400, body = ErrorBody)))]
pub async fn revoke(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(token): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.may(Role::Admin)?;
    api.app.revoke_token(&token).await?;
    Ok(StatusCode::NO_CONTENT)
}

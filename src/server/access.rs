//! Who is calling: a bearer token, or nobody where the server is open.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use secrecy::SecretString;

use super::{Api, error::ApiError};
use crate::ports::{CredentialScopes, Role};

/// Who is calling, and what they may do.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The token's id and name.
    pub who: String,
    /// The token's role.
    pub role: Role,
    /// What their runs may use credentials for; all that the server has when nothing is said.
    pub credentials: Option<CredentialScopes>,
}

impl Caller {
    /// Refuses what needs a higher role.
    pub fn may(&self, role: Role) -> Result<(), ApiError> {
        if self.role >= role {
            return Ok(());
        }
        let message = format!(
            "this needs the role {role}; the token has the role {}",
            self.role
        );
        Err(
            ApiError::new(StatusCode::FORBIDDEN, "role_too_low", message).hint(format!(
                "careen token create --role {role} NAME makes one that may"
            )),
        )
    }
}

impl Caller {
    /// Refuses to decide deliveries again to whose runs' credentials are bounded: the runs of a replay are their tasks'.
    pub fn may_replay(&self) -> Result<(), ApiError> {
        self.may(Role::Runner)?;
        if self.credentials.is_none() {
            return Ok(());
        }
        let message = "the runs of a replay use what their tasks use, and the token's credentials are bounded";
        let refused = ApiError::new(StatusCode::FORBIDDEN, "credentials_bounded", message);
        Err(refused.hint("Use a token that was made without --credentials"))
    }
}

/// Finds the caller of every request; without one the request goes no further.
pub async fn authenticate(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let caller = match caller(&api, request.headers()).await {
        Ok(caller) => caller,
        Err(error) => {
            let mut response = error.into_response();
            if response.status() == StatusCode::UNAUTHORIZED {
                let scheme = header::HeaderValue::from_static("Bearer realm=\"careen\"");
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, scheme);
            }
            return response;
        }
    };
    request.extensions_mut().insert(caller.clone());
    let mut response = next.run(request).await;
    // The audit log, which lies around this, reads it from the answer.
    response.extensions_mut().insert(caller);
    response
}

async fn caller(api: &Api, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let unauthorized = |code, message: &str| {
        ApiError::new(StatusCode::UNAUTHORIZED, code, message)
            .hint("Send `Authorization: Bearer TOKEN`; careen token create makes one")
    };
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return match api.terms.is_open {
            true => Ok(Caller {
                who: "anonymous".to_owned(),
                role: Role::Admin,
                credentials: None,
            }),
            false => Err(unauthorized("token_missing", "the request bears no token")),
        };
    };
    let secret = value
        .to_str()
        .ok()
        .and_then(|it| it.strip_prefix("Bearer "));
    let secret = SecretString::from(secret.unwrap_or_default().trim());
    match api.app.authenticate(&secret).await? {
        Some(token) => Ok(Caller {
            who: format!("{} ({})", token.name, token.id),
            role: token.role,
            credentials: token.credentials,
        }),
        None => Err(unauthorized(
            "token_invalid",
            "the token is not known, has expired or was revoked",
        )),
    }
}

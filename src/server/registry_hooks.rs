//! `/hooks/registries/{name}`: where registries tell of pushes; each name has a secret of its own.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{Request, StatusCode, header},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api,
    error::{ApiError, Query},
    hooks::{read, sender, text},
};
use crate::app::{Notification, NotificationError};

/// The largest notification that is read.
pub const BODY_BYTES: usize = 1 << 20;

/// What may stand behind the address, for registries that can send no header.
#[derive(Debug, Deserialize)]
pub struct Proof {
    token: Option<String>,
}

/// Takes a notification: proved first, recorded before the answer, looked at within a second.
pub async fn take(
    State(api): State<Api>,
    Path(name): Path<String>,
    Query(proof): Query<Proof>,
    request: Request<Body>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let (parts, body) = request.into_parts();
    let body = read(&api, &parts, body, BODY_BYTES).await?;
    let header = |name: &str| text(&parts.headers, name);
    let (authorization, signature) = (
        header(header::AUTHORIZATION.as_str()),
        header("x-hub-signature-256"),
    );
    let told = Notification {
        name: &name,
        authorization: authorization.as_deref(),
        signature: signature.as_deref(),
        token: proof.token.as_deref(),
        body: &body,
    };
    match api.app.take_notification(&told).await {
        Ok(prompted) => Ok((StatusCode::ACCEPTED, Json(json!({ "looks": prompted })))),
        Err(NotificationError::App(error)) => Err(error.into()),
        Err(error) => {
            let why = format!("registry {name}: {error}");
            let kept = api.refusals.keep(sender(&parts), body.len() as u64, &why);
            kept.await;
            Err(refusal(error))
        }
    }
}

fn refusal(error: NotificationError) -> ApiError {
    let message = error.to_string();
    match error {
        NotificationError::Unproved => {
            ApiError::new(StatusCode::UNAUTHORIZED, "not_proved", message).hint(
                "careen secret set registry-hook-NAME sets the secret; send it as the Authorization header",
            )
        }
        NotificationError::Unreadable(_) => {
            ApiError::new(StatusCode::BAD_REQUEST, "invalid_body", message)
        }
        NotificationError::App(error) => error.into(),
    }
}

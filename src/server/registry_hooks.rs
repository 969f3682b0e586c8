//! `/hooks/registries/{name}`: where registries tell of pushes; each name has a secret of its own.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api,
    error::{ApiError, Query},
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
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|it| it.to_str().ok());
    let told = Notification {
        name: &name,
        authorization: text(header::AUTHORIZATION),
        signature: text(header::HeaderName::from_static("x-hub-signature-256")),
        token: proof.token.as_deref(),
        body: &body,
    };
    let prompted = api.app.take_notification(&told).await.map_err(refusal)?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "looks": prompted }))))
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

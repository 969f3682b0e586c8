//! `/healthz` and `/readyz`: whether the process lives, and whether it can do its work.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use super::Api;
use crate::ports::RunFilter;

/// Says that the process lives.
pub async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Says whether the database answers and the server is not about to stop.
pub async fn readyz(State(api): State<Api>) -> (StatusCode, Json<Value>) {
    let filter = RunFilter {
        limit: 1,
        ..RunFilter::default()
    };
    let database = api.app.ports.store.runs(&filter).await;
    let reason = match database {
        _ if api.stop.is_cancelled() => "the server is stopping".to_owned(),
        Err(error) => error.to_string(),
        Ok(_) => match api.app.room.check() {
            Ok(()) => return (StatusCode::OK, Json(json!({ "status": "ready" }))),
            Err(error) => error.to_string(),
        },
    };
    let body = json!({ "status": "not_ready", "reason": reason });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body))
}

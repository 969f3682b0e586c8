//! Requests that may come again: `Idempotency-Key` makes the second one an echo of the first.

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use super::{Api, access::Caller, error::ApiError};
use crate::ports::{Answer, Known};

/// The header that names a request.
const HEADER: &str = "idempotency-key";
/// The longest key.
const KEY_BYTES: usize = 200;
/// The largest body of such a request; the router's own limit is not above it.
const BODY_BYTES: usize = 16 * 1024 * 1024;
/// How long answers are kept.
const KEPT_HOURS: i64 = 24;

/// Marks an answer that holds a secret: it is not kept, so a second request is done again.
#[derive(Debug, Clone, Copy)]
pub struct Unkept;

/// Answers a request that came before as it was answered then.
pub async fn answer_once(State(api): State<Api>, request: Request, next: Next) -> Response {
    let key = request.headers().get(HEADER).cloned();
    match key {
        Some(key) if request.method() == Method::POST => {
            match keyed(&api, &key, request, next).await {
                Ok(response) => response,
                Err(error) => error.into_response(),
            }
        }
        _ => next.run(request).await,
    }
}

async fn keyed(
    api: &Api,
    key: &HeaderValue,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let refuse = |code, message: &str| ApiError::new(StatusCode::BAD_REQUEST, code, message);
    let text = key.to_str().ok().filter(|it| it.len() <= KEY_BYTES);
    let text = text.ok_or_else(|| refuse("invalid_key", "the Idempotency-Key is too long"))?;
    let caller = request.extensions().get::<Caller>();
    // Two callers that chose one key do not see each other's answers.
    let key = format!("{}/{text}", caller.map_or("", |it| it.who.as_str()));
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES).await.map_err(|_| {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "the body is too large",
        )
    })?;
    let print = fingerprint(parts.uri.path(), &body);
    let now = api.app.ports.clock.now();
    let access = &api.app.access;
    access
        .forget_requests(now - TimeDelta::hours(KEPT_HOURS))
        .await?;
    match access.begin_request(&key, &print, now).await? {
        Known::New => {}
        Known::Answered(answer) => return Ok(echo(answer)),
        Known::UnderWay => {
            return Err(ApiError::new(
                StatusCode::CONFLICT,
                "under_way",
                "the request is under way",
            )
            .hint("Ask again in a moment"));
        }
        Known::Another => {
            return Err(refuse(
                "key_reused",
                "the Idempotency-Key came with another request",
            )
            .hint("Draw a new key for each request"));
        }
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    keep(api, &key, response).await
}

/// Keeps the answer of a request that was done; one that was not may be tried again.
async fn keep(api: &Api, key: &str, response: Response) -> Result<Response, ApiError> {
    let access = &api.app.access;
    let is_secret = response.extensions().get::<Unkept>().is_some();
    if is_secret || !response.status().is_success() {
        access.end_request(key, None).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, BODY_BYTES).await.unwrap_or_default();
    let answer = Answer {
        status: parts.status.as_u16(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    access.end_request(key, Some(&answer)).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn echo(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::HeaderName::from_static("idempotent-replay"), "true"),
    ];
    (status, headers, answer.body).into_response()
}

fn fingerprint(path: &str, body: &[u8]) -> String {
    let digest = Sha256::new()
        .chain_update(path)
        .chain_update([0])
        .chain_update(body);
    let digest = digest.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! The body of a delivery, whole or refused: nobody's memory is filled with what is too large.

use std::net::SocketAddr;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, StatusCode, header, request::Parts},
};

use super::super::{Api, error::ApiError};

/// Reads a body of at most so many bytes; that one was larger is kept.
pub async fn read(api: &Api, parts: &Parts, body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let length = content_length(&parts.headers);
    if length.is_none_or(|length| length <= limit as u64)
        && let Ok(body) = to_bytes(body, limit).await
    {
        return Ok(body);
    }
    let refused = api.refusals.keep(
        sender(parts),
        length.unwrap_or(limit as u64),
        "it is too large",
    );
    refused.await;
    let message = format!("the delivery is larger than {limit} bytes");
    Err(
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
            .hint("Let the sender send fewer kinds of events"),
    )
}

/// The address that a request comes from; empty where that is not known.
pub fn sender(parts: &Parts) -> String {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map(|it| it.0.ip().to_string()).unwrap_or_default()
}

/// Reads a header as text.
pub fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    value.to_str().ok().map(str::to_owned)
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    text(headers, header::CONTENT_LENGTH.as_str())?.parse().ok()
}

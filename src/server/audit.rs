//! `/api/v1/audit`: who did what.

use std::net::SocketAddr;

use axum::{
    Extension, Json,
    extract::{ConnectInfo, Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};

use super::{
    Api,
    access::Caller,
    error::{ApiError, ErrorBody, Query},
    page::{Page, PageQuery},
};
use crate::ports::{AuditEntry, Role};

/// Lists what was done and what was refused, newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", params(PageQuery),
    responses((status = 200, body = Page<AuditEntry>), (status = 403, body = ErrorBody)))]
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<AuditEntry>>, ApiError> {
    caller.may(Role::Admin)?;
    let before = page.cursor.as_deref().and_then(|it| it.parse().ok());
    let entries = api.app.access.audited(before.unwrap_or(0), page.one_more());
    Ok(Json(page.cut(entries.await?, |it| it.number.to_string())))
}

/// Records every request that changes something, and every one that was refused.
pub async fn record(State(api): State<Api>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = peer.map(|it| it.0.ip().to_string()).unwrap_or_default();
    let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let action = format!("{} {}", request.method(), request.uri().path());
    let response = next.run(request).await;
    let status = response.status();
    let is_refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if is_reading && !is_refused {
        return response;
    }
    let caller = response.extensions().get::<Caller>();
    let entry = AuditEntry {
        number: 0,
        at: api.app.ports.clock.now(),
        who: caller.map_or("anonymous".to_owned(), |it| it.who.clone()),
        action,
        status: status.as_u16(),
        address,
    };
    if let Err(error) = api.app.access.audit(&entry).await {
        tracing::error!("the audit log could not be written: {error}");
    }
    response
}

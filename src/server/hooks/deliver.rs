//! `POST /hooks` and `/hooks/{task}`: verifies a delivery, keeps it, and answers once it is on the disk.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use axum::{
    Extension, Json,
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Path, State},
    http::{HeaderMap, Request, StatusCode, header},
};
use serde_json::{Value, json};

use super::{
    super::{Api, error::ApiError},
    BODY_BYTES, Hooks,
};
use crate::{
    app::{Admitted, Refusal},
    ports::{NewDelivery, sha256},
    triggers::{KEPT_HEADERS, Provider, delivery_id, event_name},
};

/// Bodies from this size on are hashed where they hold nobody up.
const LARGE: usize = 64 * 1024;

/// The answer to a delivery.
type Answer = Result<(StatusCode, Json<Value>), ApiError>;

/// Takes a delivery for all tasks that watch its repository.
pub async fn to_all(
    State(api): State<Api>,
    Extension(hooks): Extension<Arc<Hooks>>,
    request: Request<Body>,
) -> Answer {
    deliver(&api, hooks, None, request).await
}

/// Takes a delivery for one task.
pub async fn to_one(
    State(api): State<Api>,
    Extension(hooks): Extension<Arc<Hooks>>,
    Path(task): Path<String>,
    request: Request<Body>,
) -> Answer {
    deliver(&api, hooks, Some(task), request).await
}

async fn deliver(
    api: &Api,
    hooks: Arc<Hooks>,
    task: Option<String>,
    request: Request<Body>,
) -> Answer {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let from = peer.map(|it| it.0.ip().to_string()).unwrap_or_default();
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    let body = match read(&headers, body).await {
        Ok(body) => body,
        Err(error) => {
            let length = text(&headers, header::CONTENT_LENGTH.as_str());
            let length = length
                .and_then(|it| it.parse().ok())
                .unwrap_or(BODY_BYTES as u64);
            hooks.gate.refuse(from, length, "it is too large").await;
            return Err(error);
        }
    };
    let provider = Provider::of_headers(|name| text(&headers, name));
    let admitted = match admit(&hooks, (provider, task), &headers, &body).await {
        Ok(admitted) => admitted,
        Err(Refusal::Trouble(error)) => return Err(error.into()),
        Err(refusal) => {
            hooks
                .gate
                .refuse(from, body.len() as u64, &refusal.to_string())
                .await;
            return Err(refused(&refusal));
        }
    };
    let delivery = delivery(api, (provider, admitted), &headers, &body);
    let id = delivery.id.clone();
    match hooks.intake.keep(delivery).await? {
        true => Ok((
            StatusCode::ACCEPTED,
            Json(json!({ "id": id, "status": "accepted" })),
        )),
        false => Ok((StatusCode::OK, Json(json!({ "id": id, "status": "known" })))),
    }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, ApiError> {
    let too_large = || {
        let message = format!("the delivery is larger than {BODY_BYTES} bytes");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
            .hint("Let the code host send fewer kinds of events")
    };
    let length: Option<usize> =
        text(headers, header::CONTENT_LENGTH.as_str()).and_then(|it| it.parse().ok());
    if length.is_some_and(|length| length > BODY_BYTES) {
        return Err(too_large());
    }
    to_bytes(body, BODY_BYTES).await.map_err(|_| too_large())
}

async fn admit(
    hooks: &Arc<Hooks>,
    (provider, task): (Provider, Option<String>),
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Admitted, Refusal> {
    if body.len() < LARGE {
        let header = |name: &str| text(headers, name);
        return hooks
            .gate
            .admit((provider, task.as_deref()), header, body)
            .await;
    }
    let (hooks, headers, body) = (Arc::clone(hooks), headers.clone(), body.clone());
    let handle = tokio::runtime::Handle::current();
    let checking = tokio::task::spawn_blocking(move || {
        let header = |name: &str| text(&headers, name);
        handle.block_on(hooks.gate.admit((provider, task.as_deref()), header, &body))
    });
    checking.await.unwrap_or(Err(Refusal::NoSource(provider)))
}

/// Who may not deliver learns no more than that.
fn refused(refusal: &Refusal) -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "not_trusted",
        format!("the delivery is refused: {refusal}"),
    )
    .hint("Give the code host the secret of a source; careen hooks source makes one")
}

fn delivery(
    api: &Api,
    (provider, admitted): (Provider, Admitted),
    headers: &HeaderMap,
    body: &Bytes,
) -> NewDelivery {
    let header = |name: &str| text(headers, name);
    let own = delivery_id(provider, header).unwrap_or_else(|| sha256(body));
    let kept = KEPT_HEADERS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), header(name)?)));
    let kept: BTreeMap<String, String> = kept.collect();
    NewDelivery {
        id: format!(
            "{}/{}/{own}",
            admitted.source,
            admitted.task.as_deref().unwrap_or("*")
        ),
        event: event_name(provider, header),
        source: admitted.source,
        task: admitted.task,
        provider,
        headers: kept,
        body: body.to_vec(),
        at: api.app.ports.clock.now(),
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    value.to_str().ok().map(str::to_owned)
}

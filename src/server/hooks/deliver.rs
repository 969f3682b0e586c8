//! `POST /hooks` and `/hooks/{task}`: verifies a delivery, keeps it, and answers once it is on the disk.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, Request, StatusCode},
};
use serde_json::{Value, json};

use super::{
    super::{Api, error::ApiError},
    BODY_BYTES, Hooks,
    body::{read, sender, text},
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
    let (parts, body) = request.into_parts();
    let body = read(api, &parts, body, BODY_BYTES).await?;
    let headers = &parts.headers;
    let provider = Provider::of_headers(|name| text(headers, name));
    let admitted = match admit(&hooks, (provider, task), headers, &body).await {
        Ok(admitted) => admitted,
        Err(Refusal::Trouble(error)) => return Err(error.into()),
        Err(refusal) => {
            let why = refusal.to_string();
            let kept = api.refusals.keep(sender(&parts), body.len() as u64, &why);
            kept.await;
            return Err(refused(&refusal));
        }
    };
    let delivery = delivery(api, (provider, admitted), headers, &body);
    let id = delivery.id.clone();
    match hooks.intake.keep(delivery).await? {
        true => Ok((
            StatusCode::ACCEPTED,
            Json(json!({ "id": id, "status": "accepted" })),
        )),
        false => Ok((StatusCode::OK, Json(json!({ "id": id, "status": "known" })))),
    }
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

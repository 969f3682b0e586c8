//! `/api/v1/runs`: lists runs and queues new ones.

use axum::{Extension, Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Api,
    access::Caller,
    error::{ApiError, Body, ErrorBody, Query},
    page::{Page, PageQuery},
    queueing::enqueue,
    views::{QueuedRun, RunView},
};
use crate::{
    app::{ContextDigest, RunWish},
    engine::RunStatus,
    ports::{Role, RunFilter, Starter},
};

/// Which runs to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RunQuery {
    /// Only runs with this status.
    #[param(value_type = Option<String>)]
    status: Option<RunStatus>,
    /// Only runs of this name, such as a task's.
    name: Option<String>,
    /// Only runs of this stored task.
    task: Option<String>,
    /// Only runs placed in this pool.
    pool: Option<String>,
    /// Only runs that this started: `person`, `source`, `base_image`, `timer` or `fleet`.
    #[param(value_type = Option<String>)]
    trigger: Option<Starter>,
    /// Only runs of this branch.
    branch: Option<String>,
    /// Only runs that used or made an image with this in its name or digest.
    image: Option<String>,
    /// Whether to say where queued runs stand.
    #[serde(default)]
    places: bool,
    /// Only runs that have not ended.
    #[serde(default)]
    unfinished: bool,
    /// Where the page begins: `next` of the page before.
    cursor: Option<String>,
    /// At most so many items, up to 500.
    #[param(default = 50)]
    limit: Option<u32>,
}

/// Lists runs, newest first.
#[utoipa::path(get, path = "/runs", tag = "runs", params(RunQuery),
    responses((status = 200, body = Page<RunView>), (status = 401, body = ErrorBody)))]
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<RunQuery>,
) -> Result<Json<Page<RunView>>, ApiError> {
    caller.may(Role::Reader)?;
    let page = PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    };
    let on_page = RunFilter {
        before: page.cursor.clone(),
        limit: page.one_more(),
        ..RunFilter::default()
    };
    let filter = RunFilter {
        status: query.status,
        name: query.name,
        task: query.task,
        pool: query.pool,
        starter: query.trigger,
        branch: query.branch,
        image: query.image,
        unfinished: query.unfinished,
        ..on_page
    };
    let runs = api.app.ports.store.runs(&filter).await?;
    let shown = page.cut(runs, |run| run.id.clone());
    let mut places = Vec::new();
    for run in shown.items.iter().filter(|_| query.places) {
        places.push(api.app.place(run).await?);
    }
    let mut places = places.into_iter();
    Ok(Json(
        shown.map(|run| RunView::from(run).at(places.next().flatten())),
    ))
}

/// Queues a run; what is wrong with its task file is said before anything is recorded.
#[utoipa::path(post, path = "/runs", tag = "runs", request_body = RunWish,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a second request an echo of the first")),
    responses((status = 201, body = QueuedRun), (status = 422, body = ErrorBody)))]
pub async fn queue(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Body(wish): Body<RunWish>,
) -> Result<(StatusCode, Json<QueuedRun>), ApiError> {
    caller.may(Role::Runner)?;
    check_allowed(&api, &wish.allow)?;
    let folder = match &wish.context {
        Some(digest) => {
            let digest = ContextDigest::parse(digest)?;
            Some(api.app.open_context(&digest).await?)
        }
        None => None,
    };
    let place = wish.place.clone().placement(&wish.limits);
    let asked = api.app.wished_request(wish, folder).await?;
    enqueue((&api, &caller), asked, &place).await
}

/// Refuses what the server does not allow its runs, whoever asks.
pub(super) fn check_allowed(api: &Api, wanted: &[String]) -> Result<(), ApiError> {
    let Some(word) = wanted.iter().find(|word| !api.terms.allow.contains(word)) else {
        return Ok(());
    };
    let message = format!("this server does not allow {word}");
    Err(
        ApiError::new(StatusCode::FORBIDDEN, "not_allowed", message).hint(format!(
            "careen server --allow {word} allows it to all who may run"
        )),
    )
}

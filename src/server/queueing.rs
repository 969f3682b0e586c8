//! Queues runs: what is wrong with one is said before anything is recorded.

use axum::{Json, http::StatusCode};

use super::{Api, access::Caller, error::ApiError, views::QueuedRun};
use crate::{
    app::{Request, Secrets},
    engine::RunStatus,
    ports::{Enqueued, Placement},
};

/// Why a run of a person was started.
const BY_HAND: &str = "started by hand";

/// The answer that says what became of a run that was to be queued.
pub(super) type Answer = (StatusCode, Json<QueuedRun>);

/// Checks a request and lets it wait for a worker.
pub(super) async fn enqueue(
    (api, caller): (&Api, &Caller),
    (mut request, secrets): (Request, Secrets),
    place: &Placement,
) -> Result<Answer, ApiError> {
    request.bind(caller.credentials.as_ref());
    // What is left to the worker cannot be checked before.
    if request.deferred.is_none() {
        api.app.prepare(&request, &secrets)?;
    }
    let queued = api.app.enqueue(request, &secrets, place, BY_HAND).await?;
    Ok(answer(queued))
}

/// Says what became of it.
pub(super) fn answer((drawn, enqueued): (String, Enqueued)) -> Answer {
    let (id, status, reason) = match enqueued {
        Enqueued::Waiting { .. } => (drawn, RunStatus::Queued, None),
        Enqueued::Skipped { by } => {
            let reason = format!("run {by} of its concurrency group has not ended");
            (drawn, RunStatus::Canceled, Some(reason))
        }
        Enqueued::Known { run } => {
            let reason = "its cause had started it already".to_owned();
            (run, RunStatus::Queued, Some(reason))
        }
    };
    let status = status.as_str().to_owned();
    let queued = QueuedRun { id, status, reason };
    (StatusCode::CREATED, Json(queued))
}

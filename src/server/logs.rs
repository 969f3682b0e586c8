//! `/api/v1/runs/{run}/logs`: stored logs, by line; and one attempt's log by byte.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Api,
    access::Caller,
    error::{ApiError, ErrorBody, Query},
};
use crate::{
    app::LogQuery,
    logs::{Ending, Line, LogLines},
    ports::{LogKey, Role, Stream},
};

/// The most lines of one answer.
const LINES: u64 = 10_000;
/// The most bytes of one answer.
const BYTES: u64 = 16 * 1024 * 1024;

/// Which lines to read.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LineQuery {
    /// Only this step, by its id.
    step: Option<String>,
    /// Only this attempt.
    attempt: Option<u32>,
    /// Only this generation; all of them, one after the other, when none is named.
    generation: Option<u32>,
    /// Begin at this line of each log, from 1.
    #[param(default = 1)]
    from: Option<u64>,
    /// Only the last lines of each log.
    tail: Option<u64>,
    /// At most so many lines in all, up to 10000.
    #[param(default = 1000)]
    limit: Option<u64>,
}

/// Lines of a log, by time.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    /// The lines.
    pub lines: Vec<LineView>,
    /// Whether these are all that were asked for and are stored by now.
    pub complete: bool,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LineView {
    /// The step's id.
    pub step: String,
    /// The step's position in the file, from 0.
    pub position: u32,
    /// The generation of the run that wrote it, from 1: the next one begins anew after its worker was lost.
    #[serde(default = "first")]
    pub generation: u32,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The line's number in its log, from 1.
    pub line: u64,
    /// When it was begun.
    pub at: String,
    /// `stdout` or `stderr`.
    pub stream: String,
    /// Its text; bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// The generation of lines from a server that names none.
fn first() -> u32 {
    1
}

/// Reads stored lines, merged by time.
#[utoipa::path(get, path = "/runs/{run}/logs", tag = "runs", params(LineQuery),
    responses((status = 200, body = LogPage), (status = 404, body = ErrorBody)))]
pub async fn lines(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(run): Path<String>,
    Query(query): Query<LineQuery>,
) -> Result<Json<LogPage>, ApiError> {
    caller.may(Role::Reader)?;
    let id = api.app.ports.store.find(&run).await?;
    let limit = query.limit.unwrap_or(1000).clamp(1, LINES);
    let wanted = LogQuery {
        step: query.step,
        attempt: query.attempt,
        generation: query.generation,
        from: query.from.unwrap_or(1).saturating_sub(1),
        tail: query.tail,
        limit: Some(limit + 1),
        follow: false,
    };
    let mut lines = Vec::new();
    let read = api.app.read_logs(&id, &wanted, |step, key, line| {
        lines.push(line_view(step, key, line));
        true
    });
    read.await?;
    let complete = lines.len() as u64 <= limit;
    lines.truncate(limit as usize);
    Ok(Json(LogPage { lines, complete }))
}

/// Which generation's log to read.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct GenerationQuery {
    /// The generation of the run, from 1; the present one when none is named.
    generation: Option<u32>,
}

/// Reads the bytes that an attempt wrote, secrets masked; `Range: bytes=FIRST-LAST` reads a part.
#[utoipa::path(get, path = "/runs/{run}/logs/{step}/{attempt}", tag = "runs",
    params(GenerationQuery, ("Range" = Option<String>, Header, description = "bytes=FIRST-LAST or bytes=FIRST-")),
    responses((status = 200, content_type = "text/plain", body = String),
        (status = 206, content_type = "text/plain", body = String), (status = 416, body = ErrorBody)))]
pub async fn bytes(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((run, step, attempt)): Path<(String, String, u32)>,
    Query(query): Query<GenerationQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    caller.may(Role::Reader)?;
    let store = &api.app.ports.store;
    let row = store.run(&store.find(&run).await?).await?;
    let steps = store.steps(&row.id).await?;
    let found = steps.iter().find(|it| it.id == step).ok_or_else(|| {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "no_such_step",
            format!("run {run} has no step {step}"),
        )
    })?;
    let key = LogKey {
        run: row.id,
        generation: query.generation.unwrap_or(row.generation),
        step: found.step,
        attempt,
    };
    let range = range(&headers);
    let (first, last) = range.unwrap_or((0, u64::MAX));
    let last = last.min(first.saturating_add(BYTES - 1));
    let text = read_bytes(LogLines::from(api.frames.clone(), key, 0), (first, last)).await?;
    let kind = (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned());
    if range.is_none() {
        return Ok(([kind], text).into_response());
    }
    if text.is_empty() {
        let message = format!("the log ends before byte {first}");
        return Err(ApiError::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "range_too_far",
            message,
        ));
    }
    let last = first + text.len() as u64 - 1;
    let part = (header::CONTENT_RANGE, format!("bytes {first}-{last}/*"));
    Ok((StatusCode::PARTIAL_CONTENT, [kind, part], text).into_response())
}

/// A line as the API shows it.
pub(super) fn line_view(step: &str, key: &LogKey, line: &Line) -> LineView {
    let at = DateTime::from_timestamp_nanos(line.at_nanos);
    let stream = match line.stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    };
    LineView {
        step: step.to_owned(),
        position: key.step,
        generation: key.generation,
        attempt: key.attempt,
        line: line.number + 1,
        at: at.to_rfc3339_opts(SecondsFormat::Micros, true),
        stream: stream.to_owned(),
        text: String::from_utf8_lossy(&line.text).into_owned(),
    }
}

/// Reads a single range of bytes; any other header is none, as the standard has it.
fn range(headers: &HeaderMap) -> Option<(u64, u64)> {
    let text = headers.get(header::RANGE)?.to_str().ok()?;
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let first = first.parse().ok()?;
    let last = match last {
        "" => u64::MAX,
        last => last.parse().ok()?,
    };
    (first <= last).then_some((first, last))
}

async fn read_bytes(mut log: LogLines, (first, last): (u64, u64)) -> Result<Vec<u8>, ApiError> {
    let (mut text, mut at) = (Vec::new(), 0);
    while at <= last
        && let Some(line) = log.next().await.map_err(crate::app::AppError::from)?
    {
        let mut bytes = line.text.to_vec();
        if line.ending == Ending::Newline {
            bytes.push(b'\n');
        }
        let skip = usize::try_from(first.saturating_sub(at)).unwrap_or(usize::MAX);
        at += bytes.len() as u64;
        text.extend(bytes.into_iter().skip(skip));
    }
    let wanted = usize::try_from((last - first).saturating_add(1)).unwrap_or(usize::MAX);
    text.truncate(wanted);
    Ok(text)
}

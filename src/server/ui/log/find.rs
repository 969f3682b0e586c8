//! `/runs/{run}/find/{step}/{attempt}`: the next line of a log that holds a text.

use std::time::{Duration, Instant};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use regex::bytes::RegexBuilder;
use serde::{Deserialize, Serialize};

use super::named::Named;
use crate::{
    app::AppError,
    logs::LogLines,
    server::{Api, error::Query, ui::failure::Failure},
};

/// How long one answer may take; who asked goes on from where it ends.
const TIME: Duration = Duration::from_millis(1500);
/// Lines between two looks at the clock.
const LINES: u64 = 4096;

/// What to look for.
#[derive(Debug, Deserialize)]
pub(in crate::server::ui) struct Wanted {
    /// The text, whatever its case.
    text: String,
    /// The first line to look at, from 1.
    #[serde(default)]
    from: u64,
    /// The generation, from 1; the present one when none is named.
    generation: Option<u32>,
}

/// What was found.
#[derive(Debug, Serialize)]
pub(in crate::server::ui) struct Found {
    /// The line that holds it, from 1.
    line: Option<u64>,
    /// Where to go on; nothing at the end of the log.
    next: Option<u64>,
}

/// Looks for a text, line by line, as long as one answer may take.
pub(in crate::server::ui) async fn find(
    State(api): State<Api>,
    Path(place): Path<(String, u32, u32)>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Found>, Failure> {
    let pattern = RegexBuilder::new(&regex::escape(&wanted.text))
        .case_insensitive(true)
        .build();
    let pattern = pattern
        .map_err(|_| Failure::new(StatusCode::BAD_REQUEST, "the text is too long to look for"))?;
    let key = Named::find(&api, place, wanted.generation).await?.key;
    let first = wanted.from.saturating_sub(1);
    let mut log = LogLines::from(api.frames.clone(), key, first);
    let begun = Instant::now();
    while let Some(line) = log.next().await.map_err(AppError::from)? {
        let next = Some(line.number + 2);
        if pattern.is_match(&line.text) {
            let line = Some(line.number + 1);
            return Ok(Json(Found { line, next }));
        }
        if line.number % LINES == 0 && begun.elapsed() > TIME {
            return Ok(Json(Found { line: None, next }));
        }
    }
    Ok(Json(Found {
        line: None,
        next: None,
    }))
}

//! `/runs/{run}/lines/{step}/{attempt}`: a window of a log, for the viewer; any line is one frame away.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};

use super::{ansi::to_html, named::Named};
use crate::{
    app::AppError,
    logs::{Line, LogLines},
    ports::{LogKey, Stream},
    server::{Api, error::Query, ui::failure::Failure},
};

/// The most lines of a window.
const LINES: usize = 1000;
/// Nanoseconds in a millisecond.
const MILLI: i64 = 1_000_000;

/// Which lines to show.
#[derive(Debug, Deserialize)]
pub(in crate::server::ui) struct Wanted {
    /// The first, from 1.
    #[serde(default)]
    from: u64,
    /// How many.
    count: Option<usize>,
    /// The generation, from 1; the present one when none is named.
    generation: Option<u32>,
}

/// A window of a log.
#[derive(Debug, Serialize)]
pub(in crate::server::ui) struct Window {
    /// The number of the first line, from 1.
    first: u64,
    /// How many lines are stored by now.
    total: u64,
    /// When each was written, in milliseconds; whether to standard error; its markup.
    lines: Vec<(i64, bool, String)>,
}

/// Reads a window.
pub(in crate::server::ui) async fn lines(
    State(api): State<Api>,
    Path(place): Path<(String, u32, u32)>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Window>, Failure> {
    let log = Named::find(&api, place, wanted.generation).await?;
    let first = wanted.from.max(1);
    let count = wanted.count.unwrap_or(LINES).min(LINES);
    let lines = read(&api, log.key, first, count).await?;
    Ok(Json(Window {
        first,
        total: log.lines,
        lines: lines.iter().map(shown).collect(),
    }))
}

/// Reads lines from the one of this number, from 1, on.
pub(super) async fn read(
    api: &Api,
    key: LogKey,
    first: u64,
    count: usize,
) -> Result<Vec<Line>, AppError> {
    let mut log = LogLines::from(api.frames.clone(), key, first.saturating_sub(1));
    Ok(log.read(count).await?)
}

fn shown(line: &Line) -> (i64, bool, String) {
    let is_error = line.stream == Stream::Stderr;
    (line.at_nanos / MILLI, is_error, to_html(&line.text))
}

//! `/runs/{run}/raw/{step}/{attempt}`: a whole log as a file.

use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream::try_unfold;

use super::named::{Generation, Named};
use crate::{
    logs::{Ending, LogError, LogLines},
    server::{Api, error::Query, ui::failure::Failure},
};

/// Bytes of one piece of the answer.
const PIECE: usize = 256 * 1024;

/// Sends a log as it was written, secrets masked; it is never held whole.
pub(in crate::server::ui) async fn download(
    State(api): State<Api>,
    Path(place): Path<(String, u32, u32)>,
    Query(wanted): Query<Generation>,
) -> Result<Response, Failure> {
    let log = Named::find(&api, place, wanted.generation).await?;
    // Ids of runs are letters and digits; those of steps may be anything.
    let name = format!(
        "{}-{}-{}.log",
        log.run.id,
        log.key.step + 1,
        log.key.attempt
    );
    let lines = LogLines::from(api.frames.clone(), log.key, 0);
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    let body = Body::from_stream(try_unfold(lines, piece));
    Ok((headers, body).into_response())
}

async fn piece(mut lines: LogLines) -> Result<Option<(Bytes, LogLines)>, LogError> {
    let mut bytes = Vec::with_capacity(PIECE);
    while bytes.len() < PIECE {
        let Some(line) = lines.next().await? else {
            break;
        };
        bytes.extend_from_slice(&line.text);
        if line.ending == Ending::Newline {
            bytes.push(b'\n');
        }
    }
    Ok((!bytes.is_empty()).then(|| (Bytes::from(bytes), lines)))
}

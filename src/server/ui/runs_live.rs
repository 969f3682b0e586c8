//! `/live/runs`: the first page of runs as it changes.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, Sse},
};
use futures_util::Stream;

use super::{
    live::{self, Look, Piece, Source},
    queue,
    run_rows::{row, row_id},
    runs::{QUEUE, Wanted, counts, overview, page_of_runs},
};
use crate::server::{Api, error::Query};

/// How often the list is looked at.
const LOOK: Duration = Duration::from_secs(1);

struct Runs {
    api: Api,
    wanted: Wanted,
}

/// Follows the list.
pub(super) async fn follow(
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    live::follow(Runs { api, wanted })
}

impl Source for Runs {
    /// A database that fails now may answer later: what is shown stays.
    async fn look(&mut self) -> Option<Look> {
        if self.api.stop.is_cancelled() {
            return None;
        }
        Some(self.pieces().await.unwrap_or_default())
    }

    async fn wait(&mut self) {
        tokio::select! {
            () = self.api.stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

impl Runs {
    async fn pieces(&self) -> Option<Look> {
        let found = page_of_runs(&self.api, &self.wanted).await.ok()?;
        let now = self.api.app.ports.clock.now();
        let rows = found.items.iter().map(|run| {
            // Rows say times as they are at the first look; scripts let them grow.
            Piece::inside(
                "runs",
                row_id(run),
                row(run, run.ended_at.unwrap_or(run.created_at)),
            )
        });
        let mut pieces: Vec<Piece> = rows.collect();
        pieces.push(Piece::new("counts", counts(&self.api).await.ok()?));
        pieces.push(Piece::new("overview", overview(&found.items, now)));
        pieces.push(queue::piece(&self.api, QUEUE).await?);
        let ids = found.items.iter().map(row_id).collect();
        Some(Look {
            pieces,
            order: Some(("runs", ids)),
            ..Look::default()
        })
    }
}

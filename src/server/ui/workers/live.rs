//! `/live/workers`: workers, queues and what is under way, as they change.

use std::{convert::Infallible, time::Duration};

use axum::{
    Extension,
    extract::State,
    response::sse::{Event, Sse},
};
use chrono::{DateTime, Utc};
use futures_util::Stream;

use super::{LIMITS_ID, QUEUE, known, limits, under_way};
use crate::server::{
    Api,
    ui::{
        live::{self, Look, Piece, Source},
        queue,
        session::Viewer,
    },
};

/// How often they are looked at.
const LOOK: Duration = Duration::from_secs(2);

struct Followed {
    api: Api,
    viewer: Viewer,
    /// When they began to be followed: times stand as they were then, for a clock makes no news.
    since: DateTime<Utc>,
}

/// Follows them.
pub(in crate::server::ui) async fn follow(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let since = api.app.ports.clock.now();
    live::follow(Followed { api, viewer, since })
}

impl Source for Followed {
    /// What fails now may answer later: what is shown stays.
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

impl Followed {
    async fn pieces(&self) -> Option<Look> {
        let app = &self.api.app;
        let workers = app.workers.workers().await.ok()?;
        let runs = under_way::read(&self.api).await.ok()?;
        let all = app.queue.limits().await.ok()?;
        Some(Look {
            pieces: vec![
                Piece::new(known::ID, known::card(&self.viewer, &workers, self.since)),
                queue::piece(&self.api, QUEUE).await?,
                Piece::new(under_way::ID, under_way::card(&runs, self.since)),
                Piece::new(LIMITS_ID, limits(&all)),
            ],
            ..Look::default()
        })
    }
}

//! `/live/fleet`: the fleet as it changes, such as while a rollout moves through it.

use std::{convert::Infallible, time::Duration};

use axum::{
    Extension,
    extract::State,
    response::sse::{Event, Sse},
};
use chrono::{DateTime, Utc};
use futures_util::Stream;

use super::{
    Wanted,
    around::{self, Lineage},
    counts, list,
    read::{self, Seen},
    report, rollouts, why,
};
use crate::{
    fleet::{Fleet, Id},
    server::{
        Api,
        error::Query,
        ui::{
            graph::node_id,
            live::{self, Look, Piece, Source},
            session::Viewer,
        },
    },
};

/// How often the fleet is looked at.
const LOOK: Duration = Duration::from_secs(2);

struct Followed {
    api: Api,
    viewer: Viewer,
    wanted: Wanted,
    /// What is drawn, by name.
    drawn: Vec<String>,
    /// When it began to be followed: times stand as they were then, for a clock makes no news.
    since: DateTime<Utc>,
}

/// Follows the fleet.
pub(in crate::server::ui) async fn follow(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Query(wanted): Query<Wanted>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let since = api.app.ports.clock.now();
    live::follow(Followed {
        api,
        viewer,
        wanted,
        drawn: Vec::new(),
        since,
    })
}

/// Where a page is followed that shows this node in the middle.
pub(super) fn path(fleet: &Fleet, wanted: &Wanted, middle: Option<Id>) -> String {
    let name = middle.map_or("", |id| fleet.graph().node(id).name.as_str());
    let middle: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("/live/fleet?{}&middle={middle}", wanted.query())
}

impl Source for Followed {
    /// What fails now may answer later: what is shown stays.
    async fn look(&mut self) -> Option<Look> {
        if self.api.stop.is_cancelled() {
            return None;
        }
        let seen = read::read(&self.api).await;
        Some(seen.map(|it| self.pieces(&it)).unwrap_or_default())
    }

    async fn wait(&mut self) {
        tokio::select! {
            () = self.api.stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

impl Followed {
    fn pieces(&mut self, seen: &Seen) -> Look {
        let (fleet, wanted) = (&seen.fleet, &self.wanted);
        let mut pieces = vec![
            Piece::new(counts::ID, counts::counts(fleet, wanted)),
            Piece::new(counts::LEVELS_ID, counts::levels(fleet, wanted)),
            Piece::new(
                rollouts::ID,
                rollouts::card(&self.viewer, &seen.rollouts, self.since),
            ),
            Piece::new(report::ID, report::card(fleet, self.since)),
            Piece::new(list::ID, list::card(fleet, wanted, self.since)),
        ];
        let middle = around::middle(fleet, wanted);
        if let Some(id) = middle {
            pieces.push(Piece::new(why::ID, why::card(fleet, id, self.since)));
        }
        let lineage = Lineage::new(fleet, wanted, middle);
        let drawn = lineage.names(fleet);
        if self.drawn.is_empty() || self.drawn == drawn {
            let nodes = lineage.nodes(fleet);
            let nodes = nodes
                .iter()
                .map(|it| (node_id(it.position), lineage.drawing().node(it)));
            pieces.extend(nodes.map(|(id, node)| Piece::new(id, node)));
        } else {
            // Other images have come in between: everything stands elsewhere.
            pieces.push(Piece::new(around::ID, lineage.card(fleet, wanted)));
        }
        self.drawn = drawn;
        Look {
            pieces,
            ..Look::default()
        }
    }
}

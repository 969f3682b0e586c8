//! `/live/runs/{run}`: the page of a run as it changes.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{Path, State},
    response::sse::{Event, Sse},
};
use futures_util::Stream;
use tokio::sync::watch;

use super::{
    PLAN, PLAN_PLACE, actions, graph, head, outputs, plan_card, record::Record, steps, timeline,
};
use crate::{
    ports::LogKey,
    server::{
        Api,
        feed::{Feed, Snapshot},
        ui::{
            failure::Failure,
            graph::{EDGES_ID, node_id},
            live::{self, Look, Piece, Source},
            session::Viewer,
        },
    },
};

/// How long to gather what happens into one look.
const GATHER: Duration = Duration::from_millis(200);
/// How often to look at times and logs when nothing else happens.
const LOOK: Duration = Duration::from_secs(1);

struct Followed {
    api: Api,
    viewer: Viewer,
    record: Record,
    logs: watch::Receiver<u64>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    _feed: Arc<Feed>,
}

/// Follows a run.
pub(in crate::server::ui) async fn follow(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(run): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let id = api.app.ports.store.find(&run).await?;
    let feed = api.feeds.follow(&api.app, &id).await?;
    Ok(live::follow(Followed {
        record: Record::read(&api, &id).await?,
        logs: api.frames.changes(&id),
        snapshots: feed.snapshots(),
        _feed: feed,
        viewer,
        api,
    }))
}

impl Source for Followed {
    async fn look(&mut self) -> Option<Look> {
        if self.api.stop.is_cancelled() {
            return None;
        }
        // A database that fails now may answer later: what is shown stays.
        let read = self.record.read_again(&self.api).await;
        Some(read.map(|()| self.everything()).unwrap_or_default())
    }

    async fn wait(&mut self) {
        let news = async {
            tokio::select! {
                Ok(()) = self.snapshots.changed() => {}
                Ok(()) = self.logs.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
            tokio::time::sleep(GATHER).await;
        };
        tokio::select! {
            () = self.api.stop.cancelled() => {}
            () = news => {}
        }
    }
}

impl Followed {
    fn everything(&self) -> Look {
        let record = &self.record;
        let now = self.api.app.ports.clock.now();
        // Times that grow are the script's; here they stand as at their beginning, so that nothing seems new.
        let still = record.run.created_at;
        let mut pieces = vec![
            Piece::new(head::ID, head::head(record, still)),
            Piece::new(actions::ID, actions::buttons(&self.viewer, &record.run)),
            Piece::new(outputs::ID, outputs::card(record)),
            Piece::new(graph::NOTE_ID, graph::critical_note(record, now)),
            Piece::new(timeline::ID, timeline::timeline(record, now)),
        ];
        if let Some(drawing) = &record.drawing {
            pieces.push(Piece::inside(PLAN_PLACE, PLAN, plan_card(record, still)).once());
            let critical = record.critical(now);
            let mut nodes = graph::nodes(record, still);
            nodes
                .iter_mut()
                .for_each(|it| it.is_critical = critical.contains(&it.position));
            pieces.push(Piece::new(EDGES_ID, drawing.edges(&nodes)));
            pieces.extend(
                nodes
                    .iter()
                    .map(|it| Piece::new(node_id(it.position), drawing.node(it))),
            );
        }
        pieces.extend(steps::pieces(record, still));
        let logs = record.logs.iter();
        let name = |key: &LogKey| steps::log_name(key.generation, key.step, key.attempt);
        let logs = logs.map(|it| (name(&it.key), it.lines));
        Look {
            pieces,
            logs: logs.collect(),
            is_last: record.run.status.is_ended(),
            ..Look::default()
        }
    }
}

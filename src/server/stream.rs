//! `/api/v1/runs/{run}/stream`: a run as it happens, as server-sent events that can be taken up again.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream::unfold};
use serde_json::json;
use tokio::sync::watch;

use super::{
    Api,
    access::Caller,
    error::{ApiError, ErrorBody},
    feed::{Feed, Snapshot},
    logs::line_view,
    position::Position,
    views::RunView,
};
use crate::{
    app::AppError,
    logs::{FRESH, RunLines},
    ports::{LogKey, Role, StepRow},
};

/// The header in which a client says how far it has read.
const LAST_EVENT_ID: &str = "last-event-id";
/// Lines of one message.
const LINES: usize = 256;
/// How long to wait for more before looking again; a wake-up comes sooner.
const LOOK: Duration = Duration::from_millis(100);

/// Follows a run: `log` messages hold lines, `events` what was recorded and how steps stand, `run` how the run
/// stands; `end` is the last. `Last-Event-ID` goes on after the message of that id.
#[utoipa::path(get, path = "/runs/{run}/stream", tag = "runs",
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last message that was read")),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 404, body = ErrorBody)))]
pub async fn follow(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(run): Path<String>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    caller.may(Role::Reader)?;
    let position = position(&headers)?;
    let id = api.app.ports.store.find(&run).await?;
    let follower = Follower::new(api, &id, position).await?;
    let messages = unfold(follower, |mut follower| async move {
        let message = follower.next().await?;
        Some((Ok(message), follower))
    });
    Ok(Sse::new(messages).keep_alive(KeepAlive::default()))
}

fn position(headers: &HeaderMap) -> Result<Position, ApiError> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(Position::default());
    };
    let text = value.to_str().unwrap_or_default();
    text.parse().map_err(|error: String| {
        ApiError::new(StatusCode::BAD_REQUEST, "invalid_position", error)
            .hint("Send the id of a message of this stream, or nothing")
    })
}

/// One who follows a run.
struct Follower {
    api: Api,
    _feed: Arc<Feed>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    lines: RunLines,
    position: Position,
    steps: Vec<StepRow>,
    said: serde_json::Value,
    messages: VecDeque<Event>,
    is_over: bool,
}

impl Follower {
    async fn new(api: Api, run: &str, position: Position) -> Result<Self, ApiError> {
        let feed = api.feeds.follow(&api.app, run).await?;
        let mut lines = RunLines::new(api.frames.clone(), run);
        for ((generation, step, attempt), next) in &position.lines {
            let key = LogKey {
                run: run.to_owned(),
                generation: *generation,
                step: *step,
                attempt: *attempt,
            };
            lines = lines.begin_at(key, *next);
        }
        Ok(Self {
            snapshots: feed.snapshots(),
            _feed: feed,
            lines,
            position,
            steps: Vec::new(),
            said: serde_json::Value::Null,
            messages: VecDeque::new(),
            is_over: false,
            api,
        })
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return Some(message);
            }
            if self.is_over || self.api.stop.is_cancelled() {
                return None;
            }
            if let Err(error) = self.look().await {
                let message = json!({ "message": error.to_string() });
                self.say("error", &message);
                self.is_over = true;
            }
            if self.messages.is_empty() && !self.is_over {
                self.wait().await;
            }
        }
    }

    /// Sends lines first: those that were stored before something was recorded come before it.
    async fn look(&mut self) -> Result<(), AppError> {
        let snapshot = self.snapshots.borrow_and_update().clone();
        if self.say_lines(&snapshot).await? {
            return Ok(());
        }
        let has_ended = snapshot.run.status.is_ended();
        if has_ended {
            // Followers share what they read for a moment; the last lines may be newer than that.
            tokio::time::sleep(FRESH).await;
            if self.say_lines(&snapshot).await? {
                return Ok(());
            }
        }
        self.say_events(&snapshot);
        if has_ended {
            self.say("end", &json!({ "status": snapshot.run.status }));
            self.is_over = true;
        }
        Ok(())
    }

    /// Sends some lines; `true` when there may be more.
    async fn say_lines(&mut self, snapshot: &Snapshot) -> Result<bool, AppError> {
        let names: BTreeMap<u32, &str> = snapshot
            .steps
            .iter()
            .map(|it| (it.step, it.id.as_str()))
            .collect();
        let mut lines = Vec::new();
        while lines.len() < LINES {
            let Some((key, line)) = self.lines.next().await? else {
                break;
            };
            self.position.passed(&key, line.number);
            let name = names.get(&key.step).copied().unwrap_or_default();
            lines.push(line_view(name, &key, &line));
        }
        if !lines.is_empty() {
            self.say("log", &json!({ "lines": lines }));
        }
        Ok(lines.len() == LINES)
    }

    fn say_events(&mut self, snapshot: &Snapshot) {
        if self.position.generation != snapshot.run.generation {
            self.position.generation = snapshot.run.generation;
            self.position.event = 0;
            // Whoever folds events must know first that these are of another generation.
            self.say_run(snapshot);
        }
        let sent = usize::try_from(self.position.event).unwrap_or(usize::MAX);
        let new = snapshot.events.get(sent..).unwrap_or_default();
        let changed: Vec<&StepRow> = snapshot
            .steps
            .iter()
            .filter(|step| !self.steps.contains(step))
            .collect();
        if !new.is_empty() || !changed.is_empty() {
            self.position.event += new.len() as u64;
            let generation = snapshot.run.generation;
            let body = json!({ "generation": generation, "events": new, "steps": changed });
            self.say("events", &body);
            self.steps.clone_from(&snapshot.steps);
        }
        self.say_run(snapshot);
    }

    /// Says how the run stands, if that is news.
    fn say_run(&mut self, snapshot: &Snapshot) {
        let mut row = snapshot.run.clone();
        // What was asked does not change; who wants it reads the run.
        (row.request, row.prepared) = Default::default();
        let run = json!(RunView::from(row).at(snapshot.place.clone()));
        if self.said != run {
            self.said = run.clone();
            self.say("run", &run);
        }
    }

    fn say(&mut self, kind: &str, body: &serde_json::Value) {
        let message = Event::default()
            .event(kind)
            .id(self.position.to_string())
            .data(body.to_string());
        self.messages.push_back(message);
    }

    async fn wait(&mut self) {
        tokio::select! {
            () = self.api.stop.cancelled() => {}
            // An error means that the run was deleted; the next look says so.
            _ = self.snapshots.changed() => {}
            _ = tokio::time::timeout(LOOK, self.lines.changed()) => {}
        }
    }
}

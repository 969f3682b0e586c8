//! What is recorded of a run, read once for all who follow it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    app::App,
    engine::RunStatus,
    ports::{Place, RecordedEvent, RunRow, StepRow, StoreError},
};

/// How often the record of a followed run is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Of so many looks, one asks where the run stands in its queue: that costs more the longer the queue is.
const PLACE_LOOKS: u32 = 10;

/// What is recorded of a run at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The run.
    pub run: RunRow,
    /// Its steps.
    pub steps: Vec<StepRow>,
    /// The events of its generation.
    pub events: Vec<RecordedEvent>,
    /// Where it stands in its queue, while it waits.
    pub place: Option<Place>,
}

/// A run that someone follows; the reading ends with the last follower.
pub struct Feed {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    _reading: AbortOnDropHandle<()>,
}

/// The runs that are followed.
#[derive(Default)]
pub struct Feeds {
    feeds: Mutex<HashMap<String, Weak<Feed>>>,
}

impl Feed {
    /// Watches what is recorded.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }
}

impl Feeds {
    /// Follows a run, together with all who follow it already.
    pub async fn follow(&self, app: &Arc<App>, run: &str) -> Result<Arc<Feed>, StoreError> {
        if let Some(feed) = self.present(run) {
            return Ok(feed);
        }
        let first = Arc::new(read(app, run, None).await?);
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        // Another may have come first while the record was read.
        if let Some(feed) = feeds.get(run).and_then(Weak::upgrade) {
            return Ok(feed);
        }
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let (sender, snapshots) = watch::channel(first);
        let reading = tokio::spawn(keep_reading(app.clone(), run.to_owned(), sender));
        let feed = Arc::new(Feed {
            snapshots,
            _reading: AbortOnDropHandle::new(reading),
        });
        feeds.insert(run.to_owned(), Arc::downgrade(&feed));
        Ok(feed)
    }

    fn present(&self, run: &str) -> Option<Arc<Feed>> {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.get(run).and_then(Weak::upgrade)
    }
}

/// Reads until the run has ended. A database that fails now may answer later: followers wait.
async fn keep_reading(app: Arc<App>, run: String, sender: watch::Sender<Arc<Snapshot>>) {
    for look in 1u32.. {
        let last = sender.borrow().clone();
        if last.run.status.is_ended() {
            return;
        }
        tokio::time::sleep(LOOK).await;
        let known = last.place.clone().filter(|_| look % PLACE_LOOKS != 0);
        match read(&app, &run, known).await {
            Ok(snapshot) => drop(sender.send_if_modified(|last| {
                let is_new = **last != snapshot;
                if is_new {
                    *last = Arc::new(snapshot);
                }
                is_new
            })),
            Err(StoreError::NoSuchRun(_)) => return,
            Err(error) => tracing::warn!(run, "could not be followed for now: {error}"),
        }
    }
}

async fn read(app: &App, run: &str, known: Option<Place>) -> Result<Snapshot, StoreError> {
    let store = &app.ports.store;
    let run = store.run(run).await?;
    let place = match known.filter(|_| run.status == RunStatus::Queued) {
        None => app.place(&run).await?,
        known => known,
    };
    // Read after the row: of an ended run, everything is there.
    let steps = store.steps(&run.id).await?;
    let events = store.events(&run.id, run.generation).await?;
    Ok(Snapshot {
        run,
        steps,
        events,
        place,
    })
}

//! Sees to it that queued runs are run: the one seam between the API and whoever drives runs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::metrics;
use crate::{
    app::{App, AppError, Live, Notices, Queued, Request, Secrets},
    ports::{RegistryLogin, RunFilter, StoreError},
};

/// Queues runs and cancels them.
#[async_trait]
pub trait Launcher: Send + Sync {
    /// Queues a request and returns the run's id.
    async fn queue(&self, request: Request, secrets: Secrets) -> Result<String, AppError>;
    /// Queues a recorded request again.
    async fn rerun(&self, run: &str) -> Result<String, AppError>;
    /// Stops a run; one that has ended stays as it is.
    async fn cancel(&self, run: &str) -> Result<(), AppError>;
    /// Stops everything and waits until it has ended.
    async fn stop(&self);
}

/// Runs everything at once in this process.
pub struct InProcess {
    app: Arc<App>,
    logins: Vec<RegistryLogin>,
    notices: Option<Arc<Notices>>,
    under_way: Arc<Mutex<HashMap<String, CancellationToken>>>,
    tasks: TaskTracker,
}

impl InProcess {
    /// Makes a launcher that gives its runs these credentials.
    pub fn new(app: Arc<App>, logins: Vec<RegistryLogin>) -> Self {
        Self {
            app,
            logins,
            notices: None,
            under_way: Arc::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// Tells the ends of its runs.
    pub fn telling(mut self, notices: Notices) -> Self {
        self.notices = Some(Arc::new(notices));
        self
    }

    /// Takes up every unfinished run that no living process drives, as after a crash.
    pub async fn take_up(&self) -> Result<(), AppError> {
        let filter = RunFilter {
            unfinished: true,
            ..RunFilter::default()
        };
        for run in self.app.ports.store.runs(&filter).await? {
            match self.app.resume(&run.id).await {
                Ok(queued) => drop(self.drive(queued)),
                Err(AppError::Store(StoreError::Held { .. })) => {}
                Err(error) => tracing::error!(run = run.id, "could not be taken up: {error}"),
            }
        }
        Ok(())
    }

    /// Waits until everything that is under way has ended.
    pub async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn drive(&self, queued: Queued) -> String {
        let id = queued.id.clone();
        let live = Live {
            watcher: Arc::new(()),
            cancel: CancellationToken::new(),
            logins: self.logins.clone(),
        };
        lock(&self.under_way).insert(id.clone(), live.cancel.clone());
        let (app, under_way) = (self.app.clone(), self.under_way.clone());
        let notices = self.notices.clone();
        let run = id.clone();
        self.tasks.spawn(async move {
            let outcome = app.drive(queued, live).await;
            lock(&under_way).remove(&run);
            match outcome {
                Ok(outcome) => {
                    let times = outcome.run.started_at.zip(outcome.run.ended_at);
                    let took = times.map_or(0, |(start, end)| (end - start).num_milliseconds());
                    metrics::run_ended(outcome.run.status, took as f64 / 1000.0);
                    if let Some(notices) = notices {
                        notices.tell(&app, &outcome.run).await;
                    }
                }
                Err(error) => tracing::error!(run, "could not be driven to its end: {error}"),
            }
        });
        id
    }
}

#[async_trait]
impl Launcher for InProcess {
    async fn queue(&self, request: Request, secrets: Secrets) -> Result<String, AppError> {
        let queued = self.app.queue(request, secrets, None).await?;
        Ok(self.drive(queued))
    }

    async fn rerun(&self, run: &str) -> Result<String, AppError> {
        let queued = self.app.rerun(run).await?;
        Ok(self.drive(queued))
    }

    async fn cancel(&self, run: &str) -> Result<(), AppError> {
        let row = self.app.ports.store.run(run).await?;
        if let Some(cancel) = lock(&self.under_way).get(run) {
            cancel.cancel();
        } else if !row.status.is_ended() {
            return Err(AppError::Store(StoreError::Held {
                run: run.to_owned(),
                owner: "another careen".to_owned(),
            }));
        }
        Ok(())
    }

    async fn stop(&self) {
        lock(&self.under_way)
            .values()
            .for_each(CancellationToken::cancel);
        self.drain().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

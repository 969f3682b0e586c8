//! Drives one run of a worker, and decides what becomes of a run whose engine is out of reach.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::time::Instant;

use super::{GRACE, UnderWay, Worker};
use crate::{
    app::{App, AppError, Live, lost::Ending},
    ports::{Claimed, Lease, Needs, OnWorkerLoss, RunRow, TakenOver},
    runner::{RunError, Wishes},
    text::{Source, render},
};

/// How often what lost workers left on the engine is looked for.
const SWEEP: Duration = Duration::from_secs(600);

/// A run that was leased to this worker.
pub(super) struct Given {
    lease: Lease,
    needs: Needs,
    /// Its row, where the claim brought it along.
    row: Option<RunRow>,
    /// When the lease was asked for: from then on it may run out.
    since: Instant,
}

impl Given {
    /// A run out of the queue.
    pub fn claimed(claimed: Claimed, since: Instant) -> Given {
        Given {
            needs: claimed.needs(),
            lease: claimed.lease,
            row: Some(claimed.run),
            since,
        }
    }

    /// A run that another process has let go.
    pub fn taken_over(taken: TakenOver, since: Instant) -> Given {
        Given {
            lease: taken.lease,
            needs: taken.needs,
            row: None,
            since,
        }
    }
}

impl Worker {
    /// Begins, or goes on with, a run that was leased to this worker.
    pub(super) fn drive(&mut self, given: Given) {
        let (app, wishes) = (self.app.clone(), Wishes::default());
        let live = Live {
            watcher: Arc::new(()),
            cancel: Default::default(),
            logins: self.terms.logins.clone(),
            shares_cache: self.terms.shares_cache,
        };
        let run = given.lease.run.clone();
        let under_way = UnderWay {
            wishes: wishes.clone(),
            needs: given.needs.clone(),
        };
        self.under_way.insert(run.clone(), under_way);
        self.tasks.spawn(async move {
            // A driver that breaks down must not take the place of its run with it.
            let driven = AssertUnwindSafe(drive(app, given, wishes, live));
            if driven.catch_unwind().await.is_err() {
                tracing::error!(
                    run,
                    "the driver of a run broke down; its lease will run out"
                );
            }
            run
        });
    }
}

async fn drive(app: Arc<App>, given: Given, wishes: Wishes, live: Live) {
    let lease = given.lease;
    let opened = app.open_leased(given.row, lease.clone(), given.since);
    let done = match opened.await {
        Ok(queued) => app.drive_until(queued, live, wishes).await.map(drop),
        Err(AppError::Store(error)) => Err(error.into()),
        // Nothing was begun: whoever has the store when it is back begins it.
        Err(AppError::Objects(error)) if error.is_passing => {
            tracing::warn!(run = lease.run, "could not get the context: {error}");
            Err(RunError::HandedOver.into())
        }
        Err(error) => app.record_end(&lease.run, &lease, &refusal(&error)).await,
    };
    let run = &lease.run;
    match done {
        Ok(()) => {}
        Err(AppError::Run(RunError::HandedOver)) => {
            if let Err(error) = app.queue.hand_over(&lease, lease.time / GRACE).await {
                tracing::warn!(%error, run, "could not hand the run over; its lease will run out");
            }
        }
        Err(AppError::Run(RunError::Gone)) => {
            tracing::info!(run, "what it ran is gone with its worker; it begins anew");
            if let Err(error) = app.queue.requeue(&lease).await {
                tracing::warn!(%error, run, "could not let the run begin anew");
            }
        }
        Err(error) => tracing::warn!(%error, run, "could not drive the run to its end"),
    }
}

/// A task file that is wrong fails its run; all else that keeps it from beginning is our own trouble.
fn refusal(error: &AppError) -> Ending {
    let words = match error {
        AppError::TaskFile {
            file,
            text,
            findings,
        } => {
            let source = Source { name: file, text };
            format!("{error}\n{}", render(&source, findings, false))
        }
        other => other.to_string(),
    };
    if error.is_users() {
        Ending::refused(&words)
    } else {
        Ending::lost(&words)
    }
}

/// Lets a run begin anew whose containers are on another engine, or ends it, as its task says.
pub(super) async fn without_its_engine(app: &App, taken: &TakenOver) -> Result<(), AppError> {
    let lease = &taken.lease;
    let row = app.ports.store.run(&lease.run).await?;
    let recorded = app.ports.store.events(&lease.run, lease.generation).await?;
    if let Some(reason) = &row.cancel_reason {
        return app
            .record_end(&lease.run, lease, &Ending::canceled(reason))
            .await;
    }
    let again = taken.on_worker_loss == OnWorkerLoss::Retry && lease.generation == 1;
    if again || recorded.is_empty() {
        return Ok(app.queue.requeue(lease).await?);
    }
    let reason = match lease.generation {
        1 => "worker lost: no other worker can reach its engine",
        _ => "worker lost once more: a run begins anew only once",
    };
    app.record_end(&lease.run, lease, &Ending::lost(reason))
        .await
}

/// Removes now and then what lost generations and ended runs left on the engine.
pub(super) async fn sweep_now_and_then(app: Arc<App>) {
    loop {
        match app.sweep_engine().await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "swept the engine"),
            Err(error) => tracing::warn!(%error, "could not sweep the engine"),
        }
        tokio::time::sleep(SWEEP).await;
    }
}

//! Tells the ends of runs, whichever process drove them: each is kept until some server has told it.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use super::metrics;
use crate::{
    app::{App, AppError, Notices},
    ports::StoreError,
};

/// How often a server looks when nothing wakes it.
const LOOK: Duration = Duration::from_secs(1);
/// How long an end stays with the server that took it: longer than all tries of a notice take.
const HOLD: Duration = Duration::from_secs(900);
/// Ends that are told at once.
const AT_ONCE: usize = 256;
/// How long notices under way may take once the server is to stop; the rest are told again by another.
const GRACE: Duration = Duration::from_secs(5);

/// Tells ends, as they come, until it is to stop.
pub async fn tell_ends(app: Arc<App>, notices: Option<Notices>, stop: CancellationToken) {
    let notices = notices.map(Arc::new);
    let mut wake_ups = app.queue.wake_ups();
    let mut telling = JoinSet::new();
    while !stop.is_cancelled() {
        wake_ups.mark_unchanged();
        while telling.try_join_next().is_some() {}
        let free = AT_ONCE - telling.len().min(AT_ONCE);
        match app.queue.take_ends(HOLD, free as u32).await {
            Ok(runs) => runs.into_iter().for_each(|run| {
                telling.spawn(told(app.clone(), notices.clone(), run));
            }),
            Err(error) => tracing::warn!(%error, "could not look for ends of runs; trying again"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Ok(()) = wake_ups.changed() => {}
            () = sleep(LOOK) => {}
        }
    }
    let all = async { while telling.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, all).await;
}

async fn told(app: Arc<App>, notices: Option<Arc<Notices>>, run: String) {
    if let Err(error) = tell(&app, notices.as_deref(), &run).await {
        tracing::warn!(%error, run, "could not tell how the run ended; trying again later");
    }
}

async fn tell(app: &App, notices: Option<&Notices>, run: &str) -> Result<(), AppError> {
    match app.ports.store.run(run).await {
        Ok(row) => {
            metrics::run_ended(&row, &app.ports.store.steps(run).await?);
            if let Some(notices) = notices {
                notices.tell(app, &row).await;
            }
        }
        // It has been removed meanwhile.
        Err(StoreError::NoSuchRun(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(app.queue.forget_end(run).await?)
}
